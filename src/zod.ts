import { config } from 'zod';

// Before any schema is made. Else zod looks whether it may make code at run time, which a strict security policy refuses and reports.
config({ jitless: true });

export { z } from 'zod';
