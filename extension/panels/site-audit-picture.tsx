import { useEffect, useRef } from 'react';
import { auditRaster, type AuditRaster } from './site-audit-raster.ts';

/** A small picture by its values, a pixel each, drawn larger without smoothing. */
export function SiteAuditPicture({ label, name, ...raster }: AuditRaster & { readonly label: string; readonly name: string }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const { values, side, range: [low, high], colours, marked } = raster;
  useEffect(() => {
    const context = canvas.current?.getContext('2d');
    if (!context) return;
    const image = context.createImageData(side, side);
    image.data.set(auditRaster({ values, side, range: [low, high], colours, ...(marked && { marked }) }));
    context.putImageData(image, 0, 0);
  }, [values, side, low, high, colours, marked]);
  return <canvas ref={canvas} width={side} height={side} role="img" aria-label={label} data-overread={name} style={{ flex: '1 1 0', minWidth: 0, imageRendering: 'pixelated' }} />;
}
