#!/usr/bin/env node
// kubectl runs it for `kubectl pmig …`: a name for `prom-migrator pmig …`.
process.argv.splice(2, 0, 'pmig');
await import('./prom-migrator.mjs');
