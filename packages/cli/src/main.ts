#!/usr/bin/env node
process.stdout.write('retrovisor\n');
