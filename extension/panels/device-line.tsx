import type { DeviceDescription } from '../../src/results/result.ts';
import { formatDevice } from './format.ts';

/** What the models run on, and why. */
export function DeviceLine({ device }: { device: DeviceDescription | undefined }) {
  return (
    <footer className="ovr-device" data-overread="device">
      {device ? (
        <>
          <p>
            <span className="ovr-muted">Runs on </span>
            {formatDevice(device)}
          </p>
          {device.reason && <p className="ovr-muted ovr-reason" title={device.reason}>{device.reason}</p>}
        </>
      ) : (
        <p className="ovr-muted">Runs in this browser; the device is chosen at the first run. Images never leave this computer.</p>
      )}
    </footer>
  );
}
