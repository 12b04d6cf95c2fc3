/** The worker's first line of code: the engine, which says by itself when it is ready. */
import '../src/worker.ts';
