interface MessageProps {
  readonly tone: 'error' | 'warning';
  readonly title: string;
  readonly text: string;
  readonly onDismiss?: () => void;
  /** What can be done about it: a button. */
  readonly children?: React.ReactNode;
}

/** Something that a person has to know, in words. */
export function Message({ tone, title, text, onDismiss, children }: MessageProps) {
  return (
    <div className={`ovr-message ovr-${tone}`} role={tone === 'error' ? 'alert' : 'status'} data-overread={tone}>
      <div className="ovr-row">
        <span className="ovr-strong">{title}</span>
        {onDismiss && <button type="button" className="ovr-icon" aria-label="Dismiss" onClick={onDismiss}>×</button>}
      </div>
      <p>{text}</p>
      {children}
    </div>
  );
}
