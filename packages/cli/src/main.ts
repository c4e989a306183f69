#!/usr/bin/env node
// The `retrovisor` command: reads the command line, loads the one verb that is meant, and turns what comes of it into an
// exit status. What a verb throws is told in a sentence; a stack trace is for --debug.
import { readFileSync } from 'node:fs';
import { CommanderError, parseArguments } from './arguments.js';
import { EXIT, isKnownError, statusOf } from './exit-status.js';
import { endQuietlyWithoutReader, Output } from './output/output.js';

endQuietlyWithoutReader();
process.exitCode = await main(process.argv.slice(2));

async function main(words: readonly string[]): Promise<number> {
  try {
    const call = parseArguments(words, version());
    if (call === undefined) return EXIT.usage;
    const output = new Output(call.options);
    const verb = await call.load();
    return await verb(call.operands, call.options, output);
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
    report(error, words);
    return statusOf(error);
  }
}

/** The package's own version; the manifest is beside both src/ and dist/. */
function version(): string {
  const manifest = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(manifest) as { version: string }).version;
}

function report(error: unknown, words: readonly string[]): void {
  const output = new Output({ json: words.includes('--json') });
  output.failure(error, isKnownError(error), words.includes('--debug'));
}
