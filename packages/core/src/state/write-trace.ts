// Who wrote what, while an origin is searched: the draft tells it every register slot and memory range that an event
// wrote. Only then: without a trace, no register write is noticed anywhere.

/** Collects writes. */
export interface WriteTrace {
  register(processor: number, slot: number): void;
  memory(address: number, bytes: number): void;
}
