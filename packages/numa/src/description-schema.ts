// The form of a machine description: what each member must be, before the members are compared with each other
// (description-checks.ts). Unknown members are refused: they are typing errors.
import * as v from 'valibot';
import type { MachineDescription } from './machine-description.js';
import { isProcessorList, PROCESSOR_LIST_FORM } from './processor-list.js';

const PAGE_BYTES = 4096;
const HIGHEST_END = 2 ** 52;
const LOCAL_DISTANCE = 10;
/** 255 says "unreachable" in a SLIT; Linux takes no such table. */
const FARTHEST_DISTANCE = 254;
const MOST_NODES = 256;

const address = v.pipe(
  v.number(),
  v.check(
    (value) => Number.isInteger(value) && value >= 0 && value <= HIGHEST_END && value % PAGE_BYTES === 0,
    `a multiple of ${PAGE_BYTES} from 0 to 2^52`,
  ),
);
const distance = v.pipe(
  v.number(),
  v.check(
    (value) => Number.isInteger(value) && value >= LOCAL_DISTANCE && value <= FARTHEST_DISTANCE,
    `a whole number from ${LOCAL_DISTANCE} to ${FARTHEST_DISTANCE}`,
  ),
);
const positive = v.pipe(
  v.number(),
  v.check((value) => Number.isFinite(value) && value > 0, 'a finite number over 0'),
);
const name = v.pipe(v.string(), v.regex(/^[a-z0-9]+(-[a-z0-9]+)*$/, 'a name in kebab-case'));
const processors = v.pipe(v.string(), v.check(isProcessorList, PROCESSOR_LIST_FORM));
const nodes = v.pipe(
  v.array(v.strictObject({ processors, memory: v.array(v.strictObject({ start: address, end: address })) })),
  v.check((list) => list.length >= 1 && list.length <= MOST_NODES, `1 to ${MOST_NODES} nodes`),
);
const unit = v.picklist(['cycles', 'ns']);
const latencyOfPairs = v.strictObject({ unit, matrix: v.array(v.array(v.nullable(positive))) });
const latencyOfTwo = v.strictObject({ unit, local: positive, remote: positive });
/** Chosen by what is there, not tried in turn: so that a message is about the form that was meant. */
const latency = v.lazy((input) => (isObject(input) && 'matrix' in input ? latencyOfPairs : latencyOfTwo));

/** The schema of a machine description. */
export const MACHINE_DESCRIPTION: v.GenericSchema<unknown, MachineDescription> = v.strictObject({
  name,
  title: v.exactOptional(v.string()),
  sources: v.exactOptional(
    v.array(v.strictObject({ figures: v.array(v.string()), title: v.string(), url: v.exactOptional(v.string()) })),
  ),
  nodes,
  distances: v.exactOptional(v.array(v.array(distance))),
  latency,
  clockInMHz: v.exactOptional(positive),
});

function isObject(input: unknown): input is object {
  return typeof input === 'object' && input !== null;
}
