// `retrovisor replay`: the machine is made again, every recorded event happens again, every digest must agree.
import { verify } from '@retrovisor/core';
import { openTraceFile } from '@retrovisor/core/node';
import { EXIT } from '../exit-status.js';
import { command } from '../output/next.js';
import { damageText, partsFor } from '../trace-input.js';
import type { VerbCode } from '../verb-table.js';

/** Verifies a trace: as far as it can be read. */
export const replay: VerbCode = async ([path = ''], options, output) => {
  const trace = openTraceFile(path);
  const named = await partsFor(trace, options.plugin);
  const parts = options.compile === false ? { ...named, compile: false as const } : named;
  const progress = output.progress('replaying', trace.length);
  const verification = verify(trace, { ...parts, onProgress: (position) => progress.update(position) });
  progress.hide();
  output.result({ trace: path, ...verification, damage: trace.damage ?? null }, (colours) => {
    const { positions, digests, digest } = verification;
    const next = trace.damage === undefined ? command('events', path) : command('info', path);
    const verdict = `${path}: ${positions} positions replayed, ${digests} digests agree`;
    return [colours.green(verdict), `state at position ${positions}: ${digest}`, `next: ${next}`].join('\n');
  });
  if (trace.damage === undefined) return EXIT.done;
  output.note(damageText(path, trace));
  return EXIT.unreadable;
};
