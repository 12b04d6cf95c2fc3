import { commandsModule } from './commands.ts';
import { addChestAttributes, chestProtocol } from './hanging-protocol.ts';
import { CHEST_PROTOCOL_ID, EXTENSION_ID, PANEL_NAME } from './id.ts';
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
    addChestAttributes(context.servicesManager.services.hangingProtocolService);
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
  getHangingProtocolModule: () => [{ name: CHEST_PROTOCOL_ID, protocol: chestProtocol() }],
  getPanelModule: () => [
    { name: PANEL_NAME, iconName: 'tab-roi-threshold', iconLabel: 'AI', label: 'AI', component: panelComponent(current) },
  ],
};

export default extension;
