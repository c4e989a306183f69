// What a guest writes to its devices, passed on line by line: so that of a guest that hangs everything is seen that it wrote
// before. The debug console and the first serial port are on stdout, unless `--serial` says otherwise.
import { closeSync, openSync, writeSync } from 'node:fs';
import type { Emission, Machine } from '@retrovisor/core';
import { InputError, reasonOf, UsageError } from '../input-error.js';
import type { Output } from '../output/output.js';

/** Where the bytes of a device go. */
interface Sink {
  write(bytes: Uint8Array): void;
  close(): void;
}

const NOWHERE: Sink = { write: () => {}, close: () => {} };
const SERIAL_PORTS = ['com1', 'com2', 'com3', 'com4'] as const;
const LINE_FEED = 0x0a;
/** A line that does not end is passed on in pieces. */
const MOST_PENDING = 4096;

/** Consoles of a machine, and what was on stdout. */
export class GuestConsole {
  readonly #output: Output;
  readonly #decoder = new TextDecoder();
  readonly #sinks = new Map<string, Sink>();
  readonly #stdout: Sink;
  readonly #pending = new Map<Sink, number[]>();
  #text = '';

  /**
   * `serial` says for each serial port in turn where it goes: `stdio`, `none` or `file:PATH`. Without it the first one goes
   * to stdout and the others nowhere.
   * @throws UsageError SERIAL, InputError FILE_NOT_WRITABLE
   */
  constructor(machine: Machine, output: Output, serial: readonly string[]) {
    this.#output = output;
    this.#stdout = { write: (bytes) => this.#writeOut(bytes), close: () => {} };
    const places = serial.length === 0 ? ['stdio'] : serial;
    if (places.length > SERIAL_PORTS.length) {
      const message = `--serial is said ${places.length} times: a PC has ${SERIAL_PORTS.length} serial ports`;
      throw new UsageError('SERIAL', { times: places.length, accepted: SERIAL_PORTS.length }, message);
    }
    for (const [index, device] of SERIAL_PORTS.entries())
      this.#sinks.set(device, this.#sinkFor(places[index] ?? 'none'));
    machine.emissions$.subscribe((emission) => this.#take(emission));
  }

  #sinkFor(place: string): Sink {
    if (place === 'stdio') return this.#stdout;
    if (place === 'none') return NOWHERE;
    const path = /^file:(.+)$/.exec(place)?.[1];
    if (path !== undefined) return fileSink(path);
    const message = `--serial ${place}: stdio, none or file:PATH is expected`;
    throw new UsageError('SERIAL', { serial: place, accepted: ['stdio', 'none', 'file:PATH'] }, message);
  }

  #take(emission: Emission): void {
    if (emission.type !== 'console/byteWritten') return;
    const sink = this.#sinks.get(emission.device) ?? this.#stdout;
    const pending = this.#pending.get(sink) ?? [];
    this.#pending.set(sink, pending);
    pending.push(emission.byte);
    if (emission.byte === LINE_FEED || pending.length >= MOST_PENDING) this.#pass(sink, pending);
  }

  #pass(sink: Sink, pending: number[]): void {
    if (pending.length > 0) sink.write(Uint8Array.from(pending.splice(0)));
  }

  #writeOut(bytes: Uint8Array): void {
    if (this.#output.json) this.#text += this.#decoder.decode(bytes, { stream: true });
    else this.#output.write(bytes);
  }

  /** Passes on lines that have not ended. */
  flush(): void {
    for (const [sink, pending] of this.#pending) this.#pass(sink, pending);
  }

  /** Flushes, and closes the files. */
  close(): void {
    this.flush();
    for (const sink of this.#sinks.values()) sink.close();
  }

  /** With --json: what stdout would have got. */
  text(): string {
    this.flush();
    return this.#text;
  }
}

function fileSink(path: string): Sink {
  let file: number | undefined = openForWriting(path);
  return {
    write: (bytes) => {
      if (file !== undefined) writeSync(file, bytes);
    },
    close: () => {
      if (file !== undefined) closeSync(file);
      file = undefined;
    },
  };
}

/** Opens a file that a guest or a trace is written to. @throws InputError FILE_NOT_WRITABLE */
export function openForWriting(path: string): number {
  try {
    return openSync(path, 'w');
  } catch (error) {
    throw new InputError('FILE_NOT_WRITABLE', { path }, `${path} cannot be written: ${reasonOf(error)}`);
  }
}
