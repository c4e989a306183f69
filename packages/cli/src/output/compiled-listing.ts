// `run --show-compiled ADDRESS`: one block from the guest's bytes to the count of its positions, for people and as JSON.
import type { CompiledListing, ListedExit, ListedInstruction, ListedLine } from '@retrovisor/core';
import type { Colours } from './colour.js';
import { hex, valueText } from './hexadecimal.js';
import { indented, table } from './table.js';

/** Columns of a page. */
const WIDTH = 100;
/** What ends a line of several WebAssembly instructions: a statement is complete, or a block begins or ends. */
const ENDS = /^(?:local\.set|br|br_if|return|drop|unreachable|block|loop|if|else|end)\b|^\S+\.store/;
/** What stands on a line of its own. */
const ALONE = /^(?:block|loop|else|end)\b/;

/** The listing as text. */
export function listingText(listing: CompiledListing, colours: Colours): string {
  return [
    heading(listing),
    section('instructions', instructionsText(listing, colours), colours),
    section('function', functionText(listing, colours), colours),
    section('positions', positionsText(listing, colours), colours),
  ].join('\n\n');
}

const section = (name: string, text: string, colours: Colours): string => `${colours.bold(name)}\n${indented(text)}`;

function heading({ address, codeWidth, user, isCompiled, threshold, region, steps }: CompiledListing): string {
  const { entry, blocks, codeBytes } = region;
  const all = blocks.reduce((sum, block) => sum + block.steps, 0);
  const what = `${hex(address)}: ${count(steps, 'instruction')} of ${codeWidth}-bit code, ${user ? 'CPL 3' : 'CPL 0 to 2'}`;
  const where = `region entered at ${hex(entry)}: ${count(blocks.length, 'block')}, ${count(all, 'instruction')}, ${codeBytes} bytes of code`;
  const how = isCompiled ? 'compiled' : `not compiled before it is executed ${count(threshold, 'time')}; it would be`;
  return `${what}\n${how} in the ${where}`;
}

const count = (number: number, noun: string): string => `${number} ${noun}${number === 1 ? '' : 's'}`;

const PATHS: Readonly<Record<ListedInstruction['path'], string>> = {
  inline: 'inline',
  'inline or reference': 'inline; on the reference path where that does not suffice',
  reference: 'on the reference path',
  outside: 'not part of the region: the reference path executes it',
};

function instructionsText({ instructions }: CompiledListing, colours: Colours): string {
  return instructions
    .map(({ address, bytes, text, effect, path, deadFlags }) => {
      const dead = deadFlags.length === 0 ? '' : `; nobody sees ${deadFlags.join(', ')}`;
      const effects = effect === undefined ? [] : effect.split('; ');
      return [
        `${hex(address)}  ${valueText(bytes)}  ${colours.bold(text)}`,
        ...effects.map((statement) => indented(statement)),
        indented(colours.dim(`(${PATHS[path]}${dead})`)),
      ].join('\n');
    })
    .join('\n');
}

/** The function, with one line for those of each other block. */
function functionText(listing: CompiledListing, colours: Colours): string {
  const { head, lines, address } = listing;
  const shown: string[] = [...wrapped(head[0] ?? '', head.slice(1))];
  let title = '';
  for (let at = 0; at < lines.length; ) {
    const first = lines[at] as ListedLine;
    const end = lines.findIndex((line, index) => index > at && !isSamePart(line, first));
    const part = lines.slice(at, end < 0 ? undefined : end);
    at += part.length;
    const isOther = first.block !== undefined && first.block !== address;
    const next = isOther ? `… block ${hex(first.block ?? 0n)}` : titleOf(first, listing);
    if (next !== title) shown.push(colours.dim(`${margin(first.depth)};; ${next}`));
    title = next;
    if (!isOther) shown.push(...statements(part));
  }
  return [...shown, ')'].join('\n');
}

function isSamePart(one: ListedLine, other: ListedLine): boolean {
  return one.part === other.part && one.block === other.block && one.instruction === other.instruction;
}

function titleOf({ part, instruction }: ListedLine, { instructions, steps }: CompiledListing): string {
  const text = instructions.find(({ address }) => address === instruction)?.text;
  const titles: Readonly<Record<ListedLine['part'], string>> = {
    prologue: 'registers and flags into locals',
    nesting: 'where control comes back to',
    budget: `${count(steps, 'step')}, or leave`,
    'fast path': `${hex(instruction ?? 0n)} ${text}`,
    'slow path': `${hex(instruction ?? 0n)} on the reference path`,
    edge: 'on to another block',
    epilogue: 'RIP, registers and flags into memory',
  };
  return titles[part];
}

/** Instructions of WebAssembly, as many on a line as make a statement. */
function statements(lines: readonly ListedLine[]): readonly string[] {
  const shown: string[] = [];
  let waiting: ListedLine[] = [];
  const flush = (): void => {
    const [first] = waiting;
    if (first === undefined) return;
    const text = waiting.map((line) => withComment(line)).join('  ');
    shown.push(...folded(text, margin(first.depth)));
    waiting = [];
  };
  for (const line of lines) {
    if (ALONE.test(line.text)) flush();
    waiting.push(line);
    if (ENDS.test(line.text)) flush();
  }
  flush();
  return shown;
}

/** No alignment is ever promised: that it is 1 is not repeated. */
const withComment = ({ text, comment }: ListedLine): string =>
  text.replace(/ align=1$/, '') + (comment === undefined ? '' : ` (; ${comment} ;)`);

const margin = (depth: number): string => '  '.repeat(depth + 1);

/** Breaks a line between instructions. */
function folded(text: string, indent: string): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split('  ')) {
    if (line !== '' && indent.length + line.length + 2 + word.length > WIDTH) {
      lines.push(line);
      line = '';
    }
    line += line === '' ? word : `  ${word}`;
  }
  return [...lines, line].map((each, index) => `${indent}${index === 0 ? '' : '    '}${each}`);
}

function wrapped(first: string, rest: readonly string[]): readonly string[] {
  return [first, ...folded(rest.join('  '), margin(0))];
}

const REASONS: Readonly<Record<ListedExit['why'], string>> = {
  budget: 'fewer steps are left than the block has: leaves',
  room: 'its accesses, which are observed, may not fit the buffer: leaves',
  reference: 'the reference path executed it, and something has to be looked at: leaves',
  page: 'the page of the next block may be mapped elsewhere: leaves',
  leave: 'goes on outside of the region: leaves',
  computed: 'goes on where RIP says when it runs: leaves',
  stay: 'goes on in the function',
};

function positionsText({ steps, exits }: CompiledListing, colours: Colours): string {
  const rows = exits.map(({ instruction, why, rip, steps: done }) => [
    instruction === undefined ? 'begin' : hex(instruction),
    REASONS[why],
    rip === undefined ? '' : hex(rip),
    done,
  ]);
  return [
    `$steps is what may still be done. The block takes ${steps} off when it begins; who leaves it before its end,`,
    'or asks the reference path, adds those not done again. So the position is known at each instruction:',
    'where the function began, and what it was given less what is left.',
    '',
    table(['at', 'what', 'RIP', 'steps done'], rows, colours),
  ].join('\n');
}
