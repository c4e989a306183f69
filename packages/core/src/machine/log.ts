// The log: events in order, each with the position before it. A run of steps on one processor stays one entry however
// often it was continued.
import { UsageError } from '../error.js';
import { isStepsRetired, type MachineEvent, positionsOf, sealEvent } from '../event/event.js';

/** An event and where it begins. */
export interface LogEntry {
  readonly position: number;
  readonly event: MachineEvent;
}

/** An append-only list of events. */
export class EventLog {
  readonly #entries: LogEntry[] = [];
  #length = 0;

  constructor(entries: Iterable<MachineEvent> = []) {
    for (const event of entries) this.append(event);
  }

  /** Positions: the position after the last event. */
  get length(): number {
    return this.#length;
  }

  /** Entries. */
  get size(): number {
    return this.#entries.length;
  }

  append(event: MachineEvent): void {
    const last = this.#entries.at(-1);
    if (
      last !== undefined &&
      isStepsRetired(event) &&
      isStepsRetired(last.event) &&
      last.event.processor === event.processor
    ) {
      const steps = last.event.steps + event.steps;
      this.#entries[this.#entries.length - 1] = Object.freeze({
        position: last.position,
        event: Object.freeze({ ...last.event, steps }),
      });
    } else this.#entries.push(Object.freeze({ position: this.#length, event: sealEvent(event) }));
    this.#length += positionsOf(event);
  }

  /** The entry that covers a position. @throws UsageError if there is none */
  at(position: number): LogEntry {
    const entry = this.#entries[this.#indexOf(position)];
    if (entry === undefined)
      throw new UsageError(
        'NO_SUCH_POSITION',
        { position, length: this.#length },
        `there is no event at position ${position}: 0 to ${this.#length - 1} are accepted`,
      );
    return handOut(entry);
  }

  /** The parts of entries that lie in a range of positions: runs of steps are cut to fit. */
  *slice(from: number, to: number): IterableIterator<LogEntry> {
    for (let index = this.#indexOf(from); index < this.#entries.length; index++) {
      const { position, event } = this.#entries[index] as LogEntry;
      if (position >= to) return;
      const start = Math.max(position, from);
      const end = Math.min(position + positionsOf(event), to);
      yield Object.freeze({
        position: start,
        event: isStepsRetired(event) ? Object.freeze({ ...event, steps: end - start }) : sealEvent(event),
      });
    }
  }

  /** All entries, in order. */
  entries(): readonly LogEntry[] {
    return this.#entries.map(handOut);
  }

  /** Binary search: the last entry that begins at or before the position. */
  #indexOf(position: number): number {
    let low = 0;
    let high = this.#entries.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#entries[middle] as LogEntry).position <= position) low = middle + 1;
      else high = middle;
    }
    return position < 0 || position >= this.#length ? this.#entries.length : low - 1;
  }
}

/** An entry without bytes is frozen through and through and can be shared. */
function handOut(entry: LogEntry): LogEntry {
  const event = sealEvent(entry.event);
  return event === entry.event ? entry : Object.freeze({ position: entry.position, event });
}
