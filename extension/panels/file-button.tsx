import { useRef } from 'react';

interface FileButtonProps {
  /** What the button says. */
  readonly text: string;
  /** What the file is, for those who do not see the button. */
  readonly label: string;
  /** Endings, with commas between. */
  readonly accept: string;
  readonly name: string;
  readonly title?: string;
  readonly disabled?: boolean;
  readonly onFile: (file: File) => void;
}

/** A button that asks for a file. */
export function FileButton({ text, label, accept, name, title, disabled, onFile }: FileButtonProps) {
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <button type="button" className="ovr-button ovr-small" title={title} disabled={disabled} onClick={() => input.current?.click()}>{text}</button>
      <input
        ref={input} type="file" hidden accept={accept} aria-label={label} data-overread={name}
        onChange={event => {
          const [chosen] = event.target.files ?? [];
          if (chosen) onFile(chosen);
          // So that the same file can be chosen again.
          event.target.value = '';
        }}
      />
    </>
  );
}
