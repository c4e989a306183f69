// stdin as the line that ends in the first serial port. Each byte becomes an event of the machine, so that a trace holds
// what was typed and when, and a replay needs no terminal.
import { setTimeout as wait } from 'node:timers/promises';
import { type Machine, receiverRoom, SERIAL_PORTS, serialReceived } from '@retrovisor/core';

const [{ port: FIRST_PORT }] = SERIAL_PORTS;
const POLL_MS = 20;

/** Bytes on their way to a guest. */
export interface SerialInput {
  /** Whether there is a byte to give. */
  readonly isPending: boolean;
  /** Gives the guest one byte, if there is one and the guest has taken those before. */
  give(machine: Machine): void;
  /**
   * Waits for a byte, until none will come or `isOver` says that nobody waits any more. A guest that waits and takes no
   * byte is at its end too.
   */
  more(machine: Machine, isOver: () => boolean): Promise<'byte' | 'end' | 'over'>;
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

/** A stream as input. Bytes wait here, not in the receiver, which would lose them. */
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
    if (!this.isPending || receiverRoom(machine.state, FIRST_PORT) === 0) return;
    const byte = this.#bytes.shift();
    if (byte !== undefined) machine.apply(serialReceived.create({ port: FIRST_PORT, byte }));
  }

  async more(machine: Machine, isOver: () => boolean): Promise<'byte' | 'end' | 'over'> {
    while (!isOver()) {
      if (this.isPending) return receiverRoom(machine.state, FIRST_PORT) > 0 ? 'byte' : 'end';
      if (this.#ended) return 'end';
      await wait(POLL_MS);
    }
    return 'over';
  }

  close(): void {
    this.#stream.off('data', this.#hear).off('end', this.#end).off('error', this.#end).pause();
  }
}
