// A progress bar for a person who waits: drawn on a terminal only, after the first second, ten times a second at most.

const FIRST_SHOWN_AFTER_MS = 1000;
const REDRAW_AFTER_MS = 100;
const BAR_CELLS = 24;
const CLEAR_LINE = '\r\u001b[K';

/** One bar. Without a total it counts up. */
export class Progress {
  readonly #stream: NodeJS.WriteStream;
  readonly #label: string;
  readonly #total: number | undefined;
  readonly #mayDraw: () => boolean;
  readonly #start = performance.now();
  #drawnAt = 0;
  #visible = false;

  /** `mayDraw` says whether the cursor is where a bar destroys nothing. */
  constructor(stream: NodeJS.WriteStream, label: string, total: number | undefined, mayDraw: () => boolean) {
    this.#stream = stream;
    this.#label = label;
    this.#total = total;
    this.#mayDraw = mayDraw;
  }

  /** Says how far the work is. Cheap enough to be called every few hundred steps. */
  update(done: number): void {
    if (!this.#stream.isTTY) return;
    const now = performance.now();
    if (now - this.#start < FIRST_SHOWN_AFTER_MS || now - this.#drawnAt < REDRAW_AFTER_MS || !this.#mayDraw()) return;
    this.#drawnAt = now;
    this.#visible = true;
    this.#stream.write(CLEAR_LINE + progressLine(this.#label, done, this.#total, (now - this.#start) / 1000));
  }

  /** Takes the bar away, so that something else can be written; the next update draws it again. */
  hide(): void {
    if (this.#visible) this.#stream.write(CLEAR_LINE);
    this.#visible = false;
  }
}

/** The bar as text: label, bar, share and rate. */
export function progressLine(label: string, done: number, total: number | undefined, seconds: number): string {
  const rate = `${compact(done / seconds)}/s`;
  if (total === undefined || total === 0) return `${label} ${compact(done)} (${rate})`;
  const share = Math.min(1, done / total);
  const filled = Math.round(share * BAR_CELLS);
  return `${label} ${'█'.repeat(filled)}${'░'.repeat(BAR_CELLS - filled)} ${Math.floor(share * 100)} % (${rate})`;
}

function compact(value: number): string {
  return new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 }).format(value);
}
