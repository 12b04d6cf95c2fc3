import { commandsModule } from './commands.ts';
import { EXTENSION_ID, PANEL_NAME } from './id.ts';
import { panelComponent } from './panels/mount.tsx';
import { Session } from './session.ts';
import { toolbarModule } from './toolbar.ts';
import type { HostContext } from './types/ohif.ts';

let session: Session | undefined;

function current(): Session {
  if (!session) throw new Error('Overread is not registered: OHIF calls preRegistration first.');
  return session;
}

/** The OHIF extension. Buttons, hotkeys and the panel's place are the mode's to choose. */
const extension = {
  id: EXTENSION_ID,

  preRegistration(context: HostContext): void {
    session = new Session(context);
    const { configurationError } = session.state.get();
    // In words on the console too: the viewer cannot show a notice before it has mounted.
    if (configurationError) console.error(configurationError.message);
  },

  onModeEnter(): void {
    current().enter();
  },

  onModeExit(): void {
    current().leave();
  },

  getCommandsModule: () => commandsModule(current),
  getToolbarModule: () => toolbarModule(current),
  getPanelModule: () => [
    { name: PANEL_NAME, iconName: 'tab-roi-threshold', iconLabel: 'AI', label: 'AI', component: panelComponent(current) },
  ],
};

export default extension;
