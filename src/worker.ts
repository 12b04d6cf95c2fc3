/** The engine's dedicated worker: `new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' })`. */
import { expose } from 'comlink';
import { createEngineService } from './engine-service.ts';

expose(createEngineService());
