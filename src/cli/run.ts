import { main } from './main.ts';

const status = await main(process.argv.slice(2));
// Dawn's threads keep a process alive; what was printed has to be out before it ends.
process.stdout.write('', () => process.exit(status));
