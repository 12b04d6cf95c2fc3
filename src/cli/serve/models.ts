import type { IncomingMessage, ServerResponse } from 'node:http';
import { installedModels } from '../installed-models.ts';
import { fileBelow, sendFile, sendText } from './static-files.ts';

/**
 * A folder of models over HTTP: `index.json`, made from what is there now, and the files of each model. A model's own
 * files are asked for again each time; their weights are kept by the client under their hash.
 * @param name below the catalogue, decoded
 */
export async function handleModels(folder: string, request: IncomingMessage, response: ServerResponse, name: string): Promise<void> {
  if (name === 'index.json') {
    const catalogue = JSON.stringify(installedModels(folder).map((id) => ({ id })));
    return sendText(response, 200, `${catalogue}\n`, { 'Content-Type': 'application/json' });
  }
  const file = await fileBelow(folder, name);
  if (!file) return sendText(response, 404, `There is no ${name} among the models.\n`);
  await sendFile(request, response, file, { 'Cache-Control': 'no-cache' });
}
