// Effects as text, for the reference pages and for debugging: `RAX := add(RAX, RBX); flags := add(RAX, RBX)`. A value
// that more than one statement or node uses is named where it is first needed.
import { assertNever } from '../error.js';
import { GENERAL_REGISTERS } from '../register/register-file.js';
import type { Effect, Expression, FlagName, Place, RegisterPlace, Statement } from './nodes.js';
import { nodesOf, operandsOf, valuesOf } from './walk.js';

const HIGH_BYTES = ['AH', 'CH', 'DH', 'BH'] as const;
const LEGACY_BYTES = ['AL', 'CL', 'DL', 'BL', 'SPL', 'BPL', 'SIL', 'DIL'] as const;
const SIZES = { 8: 'byte', 16: 'word', 32: 'dword', 64: 'qword', 128: 'dqword' } as const;
const COMPARISON_SIGNS = { equal: '=', lessUnsigned: '<u', lessSigned: '<s' } as const;

/** The name of a general register or a part of one: `RAX`, `R8D`, `AH`. */
export function registerName({ index, width, high }: RegisterPlace): string {
  if (high) return HIGH_BYTES[index] ?? `high byte of ${index}`;
  const name = GENERAL_REGISTERS[index] ?? `general register ${index}`;
  if (width === 64) return name;
  if (index >= 8) return name + { 32: 'D', 16: 'W', 8: 'B' }[width];
  if (width === 8) return LEGACY_BYTES[index] ?? name;
  return width === 32 ? `E${name.slice(1)}` : name.slice(1);
}

/** An effect as statements separated by semicolons. */
export function printEffect(effect: Effect): string {
  const names = sharedNames(effect);
  return effect.map((statement) => new Printer(names).statement(statement)).join('; ');
}

/** One value. */
export function printExpression(node: Expression): string {
  return new Printer(new Map()).value(node);
}

/** Names for the nodes that are used more than once, in the order of their first use. Leaves need none. */
function sharedNames(effect: Effect): Map<Expression, SharedName> {
  const uses = new Map<Expression, number>();
  const count = (node: Expression): void => void uses.set(node, (uses.get(node) ?? 0) + 1);
  const nodes = nodesOf(effect);
  for (const node of nodes) for (const operand of operandsOf(node)) count(operand);
  for (const statement of effect) for (const value of valuesOf(statement)) count(value);
  const shared = nodes.filter(
    (node) =>
      operandsOf(node).length > 0 &&
      node.kind !== 'memory' &&
      node.kind !== 'vectorMemory' &&
      (uses.get(node) ?? 0) > 1,
  );
  return new Map(shared.map((node, index) => [node, { name: `v${index + 1}`, isPrinted: false }]));
}

interface SharedName {
  readonly name: string;
  /** Its definition stands in the text already. */
  isPrinted: boolean;
}

class Printer {
  readonly #names: ReadonlyMap<Expression, SharedName>;
  /** Definitions that the statement being printed needs before it. */
  readonly #definitions: string[] = [];

  constructor(names: ReadonlyMap<Expression, SharedName>) {
    this.#names = names;
  }

  statement(statement: Statement): string {
    const text = this.#statement(statement);
    return [...this.#definitions, text].join('; ');
  }

  #statement(statement: Statement): string {
    switch (statement.kind) {
      case 'write': {
        const value = this.value(statement.value);
        return `${this.#place(statement.place)} := ${value}`;
      }
      case 'arithmeticFlags': {
        const [left, right, result] = [statement.left, statement.right, statement.result].map((node) =>
          this.value(node),
        );
        return `flags := ${statement.rule}(${left}, ${right}) of ${result}`;
      }
      case 'setFlags': {
        const flags = Object.entries(statement.flags).map(
          ([name, value]) => `${name as FlagName} := ${this.value(value)}`,
        );
        return flags.join(', ') + this.#when(statement.when);
      }
      case 'jump':
        return `RIP := ${this.value(statement.target)}${this.#when(statement.when)}`;
      case 'faultIf':
      case 'faultFirst': {
        const { vector, errorCode } = statement.raise;
        const exception = errorCode === undefined ? vector : `${vector}(${errorCode})`;
        return `${exception} by ${statement.rule} if ${this.value(statement.condition)}`;
      }
      case 'endIf':
        return `end if ${this.value(statement.condition)}`;
      case 'simdExceptions':
        return `MXCSR := exceptions(${statement.operations.map((node) => this.value(node)).join(', ')})`;
      default:
        return assertNever(statement);
    }
  }

  #when(condition: Expression | undefined): string {
    return condition === undefined ? '' : ` if ${this.value(condition)}`;
  }

  #place(place: Place): string {
    if (place.kind === 'register') return registerName(place);
    if (place.kind === 'vectorRegister') return `XMM${place.index}`;
    return `${SIZES[place.width]} ${place.segment}:[${this.value(place.offset)}]`;
  }

  value(node: Expression): string {
    const shared = this.#names.get(node);
    if (shared === undefined) return this.#text(node);
    if (!shared.isPrinted) {
      shared.isPrinted = true;
      this.#definitions.push(`${shared.name} = ${this.#text(node)}`);
    }
    return shared.name;
  }

  #text(node: Expression): string {
    const [first, second] = operandsOf(node);
    const call = (name: string): string =>
      `${name}(${operandsOf(node)
        .map((operand) => this.value(operand))
        .join(', ')})`;
    switch (node.kind) {
      case 'constant':
        return node.value < 10n ? `${node.value}` : `0x${node.value.toString(16)}`;
      case 'register':
      case 'memory':
      case 'vectorRegister':
      case 'vectorMemory':
        return this.#place(node);
      case 'flag':
        return node.flag;
      case 'condition':
        return `condition ${node.code}`;
      case 'compare':
        return first && second ? `(${this.value(first)} ${COMPARISON_SIGNS[node.operator]} ${this.value(second)})` : '';
      case 'binary':
      case 'unary':
        return call(node.operator);
      case 'select':
        return call('select');
      case 'resize':
        return call(
          `${node.width < node.operand.width ? 'truncate' : node.signed ? 'signExtend' : 'zeroExtend'}${node.width}`,
        );
      case 'divide':
        return call(`${node.part}${node.signed ? 'Signed' : 'Unsigned'}`);
      case 'divideFits':
        return call(`divideFits${node.signed ? 'Signed' : 'Unsigned'}`);
      case 'vector':
      case 'float':
        return call(node.immediate === 0 ? node.operation : `${node.operation}:${node.immediate}`);
      case 'lane':
        return call(`lane${node.width}:${node.index}`);
      case 'withLane':
        return call(`withLane${node.value.width}:${node.index}`);
      case 'systemBit':
        return `${node.register}.${node.bit}`;
      default:
        return assertNever(node);
    }
  }
}
