// The entry point of the program. What it does is in cli/program.ts.

import { leaveUndiciUnloaded } from './telemetry/light-builtins.ts';

// A static import would load node:http before this line.
leaveUndiciUnloaded();
void import('./cli/program.ts');
