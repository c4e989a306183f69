// stdin as the line that ends in the first serial port. Each byte becomes an event of the machine, so that a trace holds
// what was typed and when, and a replay needs no terminal.
import { setTimeout as wait } from 'node:timers/promises';
import type { Machine } from '@retrovisor/core';

const RECEIVED = 'uart/serialReceived';
const FIRST_PORT = 0x3f8;
const POLL_MS = 20;

/** Bytes on their way to a guest. */
export interface SerialInput {
  /** Whether there is a byte to give. */
  readonly isPending: boolean;
  /** Gives the guest one byte, if there is one. */
  give(machine: Machine): void;
  /** Waits for a byte, until none will come or `isOver` says that nobody waits any more. */
  more(isOver: () => boolean): Promise<'byte' | 'end' | 'over'>;
  /** Lets go of the stream. */
  close(): void;
}

/** Nobody types. */
export const NO_INPUT: SerialInput = {
  isPending: false,
  give: () => {},
  more: async () => 'end',
  close: () => {},
};

/** A stream as input; a machine without a serial port takes nothing. */
export class StreamInput implements SerialInput {
  readonly #stream: NodeJS.ReadableStream;
  readonly #bytes: number[] = [];
  #ended = false;
  readonly #hear = (chunk: Buffer | string): void => {
    for (const byte of Buffer.from(chunk)) this.#bytes.push(byte);
  };
  readonly #end = (): void => {
    this.#ended = true;
  };

  constructor(stream: NodeJS.ReadableStream) {
    this.#stream = stream;
    stream.on('data', this.#hear).once('end', this.#end).once('error', this.#end);
  }

  get isPending(): boolean {
    return this.#bytes.length > 0;
  }

  give(machine: Machine): void {
    const byte = this.#bytes.shift();
    if (byte === undefined || !machine.definition.events.has(RECEIVED)) return;
    machine.apply({ type: RECEIVED, port: FIRST_PORT, byte });
  }

  async more(isOver: () => boolean): Promise<'byte' | 'end' | 'over'> {
    while (!isOver()) {
      if (this.isPending) return 'byte';
      if (this.#ended) return 'end';
      await wait(POLL_MS);
    }
    return 'over';
  }

  close(): void {
    this.#stream.off('data', this.#hear).off('end', this.#end).off('error', this.#end).pause();
  }
}
