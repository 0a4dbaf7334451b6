import { setPriority } from 'node:os';
import { text } from 'node:stream/consumers';
import { findSyntaxFault } from './find-fault.ts';

// A process of its own, since V8 can't be stopped while it reads code: it looks at one text, answers and ends.

setPriority(10);
const { code, form } = JSON.parse(await text(process.stdin));
process.stdout.write(JSON.stringify({ fault: findSyntaxFault(code, form) }));
