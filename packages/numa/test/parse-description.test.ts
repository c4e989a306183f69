import { UsageError } from '@retrovisor/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type DescriptionProblem, type MachineDescription, parseMachineDescription, XEON_8360Y } from '../src/index.js';
import { randomDescription } from './support/random-description.js';

const GOOD = {
  name: 'two-nodes',
  nodes: [
    { processors: '0', memory: [{ start: 0, end: 0x10_0000 }] },
    { processors: '1', memory: [{ start: 0x10_0000, end: 0x20_0000 }] },
  ],
  distances: [
    [10, 21],
    [21, 10],
  ],
  latency: { unit: 'cycles', local: 200, remote: 350 },
} as const satisfies MachineDescription;

function problemsOf(value: unknown): readonly DescriptionProblem[] {
  try {
    parseMachineDescription(value);
    return [];
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(UsageError);
    expect(thrown).toMatchObject({ code: 'BAD_MACHINE_DESCRIPTION' });
    const { details, message } = thrown as UsageError;
    const problems = details['problems'] as readonly DescriptionProblem[];
    for (const { place } of problems) expect(message).toContain(place);
    return problems;
  }
}

/** Changes one place of the good description. */
function withChange(path: readonly (string | number)[], value: unknown): unknown {
  const copy = structuredClone(GOOD) as unknown as Record<string | number, unknown>;
  const last = path.at(-1) ?? '';
  const parent = path.slice(0, -1).reduce((at, key) => at[key] as Record<string | number, unknown>, copy);
  if (value === undefined) delete parent[last];
  else parent[last] = value;
  return copy;
}

describe('a machine description', () => {
  it('is taken as it is, frozen', () => {
    const parsed = parseMachineDescription(GOOD);
    expect(parsed).toEqual(GOOD);
    expect(Object.isFrozen(parsed.nodes[0]?.memory[0])).toBe(true);
  });

  it('survives JSON', () => {
    expect(parseMachineDescription(JSON.parse(JSON.stringify(XEON_8360Y)))).toEqual(XEON_8360Y);
    fc.assert(
      fc.property(randomDescription, (description) => {
        expect(parseMachineDescription(JSON.parse(JSON.stringify(description)))).toEqual(description);
      }),
    );
  });

  it('may have a price of null only where no access can happen', () => {
    const memoryOnly = {
      ...GOOD,
      nodes: [GOOD.nodes[0], { processors: '', memory: GOOD.nodes[1].memory }],
      latency: {
        unit: 'cycles',
        matrix: [
          [1, 2],
          [null, null],
        ],
      },
    };
    expect(problemsOf(memoryOnly)).toEqual([]);
    expect(problemsOf({ ...memoryOnly, nodes: GOOD.nodes })).toMatchObject([
      { place: 'latency.matrix.1.0' },
      { place: 'latency.matrix.1.1' },
    ]);
  });
});

describe('a bad machine description says where, what and what is accepted', () => {
  const wrong: readonly (readonly [
    path: readonly (string | number)[],
    value: unknown,
    place: string,
    accepted: RegExp,
  ])[] = [
    [['name'], 'Two Nodes', 'name', /kebab-case/],
    [['nodes'], [], 'nodes', /1 to 256 nodes/],
    [['nodes', 0, 'processors'], '0-', 'nodes.0.processors', /"0-12,52-64"/],
    [['nodes', 0, 'processors'], 3, 'nodes.0.processors', /string/],
    [['nodes', 1, 'processors'], '0-1', 'nodes.1.processors', /that node 0 does not have/],
    [['nodes', 1, 'memory', 0, 'end'], 0x20_0001, 'nodes.1.memory.0.end', /multiple of 4096/],
    [['nodes', 1, 'memory', 0, 'end'], -4096, 'nodes.1.memory.0.end', /multiple of 4096/],
    [['nodes', 1, 'memory', 0, 'end'], 2 ** 53, 'nodes.1.memory.0.end', /2\^52/],
    [['nodes', 1, 'memory', 0, 'end'], 0x10_0000, 'nodes.1.memory.0.end', /over the start/],
    [['nodes', 1, 'memory', 0, 'start'], 0xf_f000, 'nodes.1.memory.0.start', /outside nodes\.0\.memory\.0/],
    [['distances'], [[10, 21]], 'distances', /a row for each of 2 nodes/],
    [['distances', 1], [21], 'distances.1', /a column for each of 2 nodes/],
    [['distances', 1, 1], 11, 'distances.1.1', /10, the distance to itself/],
    [['distances', 0, 1], 10, 'distances.0.1', /from 11 to 254/],
    [['distances', 0, 1], 255, 'distances.0.1', /from 10 to 254/],
    [['latency', 'local'], 0, 'latency.local', /finite number over 0/],
    [['latency', 'remote'], undefined, 'latency.remote', /remote|number/],
    [['latency', 'unit'], 'us', 'latency.unit', /"cycles" \| "ns"/],
    [['latency', 'unit'], 'ns', 'clockInMHz', /because latencies are in ns/],
    [['latency'], { unit: 'cycles', matrix: [[1, 2]] }, 'latency.matrix', /a row for each of 2 nodes/],
    [['clockInMhz'], 2400, 'clockInMhz', /no such member/],
  ];
  it.each(wrong)('%j is %j', (path, value, place, accepted) => {
    const problems = problemsOf(withChange(path, value));
    expect(problems.map((problem) => problem.place)).toContain(place);
    expect(problems.find((problem) => problem.place === place)?.accepted).toMatch(accepted);
  });

  it.each([undefined, null, 1, 'machine', [], {}])('%j is none at all', (value) => {
    expect(problemsOf(value).length).toBeGreaterThan(0);
  });

  it('lists everything that is wrong, not the first', () => {
    const problems = problemsOf({
      ...GOOD,
      distances: [
        [11, 21],
        [21, 12],
      ],
      nodes: [GOOD.nodes[0], GOOD.nodes[0]],
    });
    expect(problems.map(({ place }) => place)).toEqual([
      'nodes.1.processors',
      'nodes.1.memory.0.start',
      'distances.0.0',
      'distances.1.1',
    ]);
  });

  it('never throws anything else, whatever it is given', () => {
    fc.assert(fc.property(fc.anything(), (value) => void problemsOf(value)));
    fc.assert(
      fc.property(
        randomDescription,
        fc.constantFrom('name', 'nodes', 'distances', 'latency'),
        fc.anything(),
        (description, member, value) => {
          problemsOf({ ...description, [member]: value });
        },
      ),
    );
  });
});
