// The two streams of the command. Results go to stdout, everything else to stderr, so that `retrovisor … | jq` and
// `retrovisor … > file` always get results alone.
import { type Colours, coloursFor } from './colour.js';
import { failureDocument, failureText } from './failure.js';
import { jsonText } from './json.js';
import { Progress } from './progress.js';

/** How a verb speaks. */
export class Output {
  /** Whether stdout gets JSON instead of text. */
  readonly json: boolean;
  readonly colours: Colours = coloursFor(process.stdout);
  readonly #noteColours: Colours = coloursFor(process.stderr);
  #progress: Progress | undefined;
  #atLineStart = true;

  constructor({ json }: { readonly json: boolean }) {
    this.json = json;
  }

  /** The result of the verb: one JSON document, or the text that is made only if it is wanted. */
  result(document: unknown, text: (colours: Colours) => string): void {
    this.write(this.json ? `${jsonText(document)}\n` : `${text(this.colours).trimEnd()}\n`);
  }

  /** One of many results: a JSON line, or a line of text. */
  line(document: unknown, text: (colours: Colours) => string): void {
    this.write(this.json ? `${jsonText(document, 0)}\n` : `${text(this.colours).trimEnd()}\n`);
  }

  /** Text that belongs to the result as it is, such as what the guest writes to its console. */
  write(text: string | Uint8Array): void {
    if (text.length === 0) return;
    this.#progress?.hide();
    process.stdout.write(text);
    this.#atLineStart = text.at(-1) === '\n' || text.at(-1) === 0x0a;
  }

  /** Ends a line that the guest left open, so that what follows starts on its own. */
  freshLine(): void {
    if (!this.#atLineStart) this.write('\n');
  }

  /** A line for the person, on stderr. */
  note(text: string): void {
    this.#progress?.hide();
    process.stderr.write(`${this.#noteColours.dim(text)}\n`);
  }

  /** Text for the person, on stderr, with colours of its own. */
  report(text: (colours: Colours) => string): void {
    this.#progress?.hide();
    process.stderr.write(`${text(this.#noteColours).trimEnd()}\n`);
  }

  /** What went wrong: the message and code of an error that explains itself, a request for a report of any other. */
  failure(error: unknown, isKnown: boolean, withStack: boolean): void {
    this.#progress?.hide();
    this.freshLine();
    if (this.json) this.write(`${jsonText(failureDocument(error, isKnown))}\n`);
    process.stderr.write(`${failureText(error, isKnown, withStack, this.#noteColours)}\n`);
  }

  /** Waits until a slow reader has taken what was written, and gives signals and errors their turn. */
  async drained(): Promise<void> {
    if (process.stdout.writableNeedDrain) await new Promise((resolve) => process.stdout.once('drain', resolve));
    await new Promise((resolve) => setImmediate(resolve));
  }

  /** A bar on stderr for what takes over a second; nothing where stderr is no terminal. */
  progress(label: string, total: number | undefined): Progress {
    this.#progress = new Progress(process.stderr, label, total, () => this.#atLineStart || !process.stdout.isTTY);
    return this.#progress;
  }
}

/** A reader that has seen enough (`| head`) ends the command quietly: it is no failure. */
export function endQuietlyWithoutReader(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
      process.exit(process.exitCode ?? 0);
    });
  }
}
