// How memory changed between two keyframes: for each frame that differs, the runs of bytes that differ, as old XOR new.
// Absent frames count as zeros on both sides, so that a first use, a change and a return to zeros are one thing.
import type { FrameMap } from '../state/frame-map.js';
import type { PhysicalRange } from '../state/memory.js';
import { isRam } from '../state/memory.js';
import { FRAME_BYTES } from '../state/workbench.js';
import type { ByteReader } from './byte-reader.js';
import type { ByteWriter } from './byte-writer.js';

/** Equal bytes between two runs that are cheaper to repeat than to skip. */
const SHORT_GAP = 2;
/** A frame takes at least its number, its number of runs, and one run of one byte. */
const SHORTEST_FRAME = 5;
const NO_BYTES = new Uint8Array(FRAME_BYTES);

/** What a decoder accepts. */
export interface FrameLimits {
  readonly ranges: readonly PhysicalRange[];
  /** Bytes of the frames that one keyframe may change. */
  readonly mostBytes: number;
}

/** Writes the frames that differ. */
export function writeFrames(writer: ByteWriter, before: FrameMap, after: FrameMap): void {
  const frames = [...before.differences(after)];
  writer.varint(frames.length);
  let next = 0;
  for (const frame of frames) {
    writer.varint(frame - next);
    writeRuns(writer, before.get(frame) ?? NO_BYTES, after.get(frame) ?? NO_BYTES);
    next = frame + 1;
  }
}

function writeRuns(writer: ByteWriter, before: Uint8Array, after: Uint8Array): void {
  const runs = runsOf(before, after);
  writer.varint(runs.length);
  let at = 0;
  for (const [start, end] of runs) {
    writer.varint(start - at).varint(end - start);
    for (let index = start; index < end; index++) writer.u8((before[index] as number) ^ (after[index] as number));
    at = end;
  }
}

function runsOf(before: Uint8Array, after: Uint8Array): readonly (readonly [start: number, end: number])[] {
  const runs: [start: number, end: number][] = [];
  for (let index = 0; index < FRAME_BYTES; index++) {
    if (before[index] === after[index]) continue;
    const last = runs.at(-1);
    if (last !== undefined && index - last[1] <= SHORT_GAP) last[1] = index + 1;
    else runs.push([index, index + 1]);
  }
  return runs;
}

/** The frames after a change. @throws TraceFormatError for frames outside RAM or more of them than the limits allow */
export function readFrames(reader: ByteReader, before: FrameMap, { ranges, mostBytes }: FrameLimits): FrameMap {
  const { offset } = reader;
  const count = reader.countOf(SHORTEST_FRAME);
  if (count * FRAME_BYTES > mostBytes)
    reader.refuse(`a keyframe that changes up to ${mostBytes} bytes`, `one of ${count * FRAME_BYTES}`, offset);
  const changes: [frame: number, bytes: Uint8Array][] = [];
  let next = 0;
  for (let index = 0; index < count; index++) {
    const at = reader.offset;
    const frame = next + reader.varint();
    if (!isRam(ranges, frame * FRAME_BYTES)) reader.refuse('a frame of RAM', frame, at);
    changes.push([frame, readRuns(reader, before.get(frame))]);
    next = frame + 1;
  }
  return before.with(changes);
}

function readRuns(reader: ByteReader, before: Uint8Array | undefined): Uint8Array {
  const bytes = before?.slice() ?? new Uint8Array(FRAME_BYTES);
  const runs = reader.countOf(3);
  let at = 0;
  for (let index = 0; index < runs; index++) {
    const { offset } = reader;
    at += reader.varint();
    const length = reader.varint();
    if (at + length > FRAME_BYTES) reader.refuse('a run inside its frame', `one up to ${at + length}`, offset);
    for (const change of reader.raw(length)) (bytes[at++] as number) ^= change;
  }
  return bytes;
}
