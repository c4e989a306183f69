// Colour, only where a person looks: picocolors knows NO_COLOR, FORCE_COLOR and TERM=dumb; each stream is asked for itself,
// because `retrovisor why T | less` has a terminal on stderr alone.
import picocolors from 'picocolors';

/** Functions from text to coloured text; the identity where there is no colour. */
export type Colours = ReturnType<typeof picocolors.createColors>;

/** The colours for a stream. */
export function coloursFor(stream: NodeJS.WriteStream): Colours {
  const { env } = process;
  if (env['NO_COLOR']) return picocolors.createColors(false);
  const forced = env['FORCE_COLOR'] !== undefined && env['FORCE_COLOR'] !== '0';
  return picocolors.createColors(forced || (stream.isTTY === true && env['TERM'] !== 'dumb'));
}

/** No colour at all: what tests render with. */
export const PLAIN: Colours = picocolors.createColors(false);
