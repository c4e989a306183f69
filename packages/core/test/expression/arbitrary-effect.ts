// Effects drawn at random for property tests: nodes pick their operands among those drawn before, so that sharing is as
// frequent as in real instructions.
import fc from 'fast-check';
import * as build from '../../src/expression/build.js';
import type {
  BinaryOperator,
  Comparison,
  ConditionCode,
  Effect,
  Expression,
  FlagName,
  FlagRule,
  MemoryPlace,
  RegisterPlace,
  ScalarWidth,
  SegmentName,
  Statement,
  UnaryOperator,
} from '../../src/expression/nodes.js';
import { DE } from '../../src/interrupt/exceptions.js';
import { SEGMENT_REGISTERS } from '../../src/register/register-file.js';

export const BINARY_OPERATORS: readonly BinaryOperator[] = [
  'add',
  'sub',
  'and',
  'or',
  'xor',
  'mul',
  'mulHighUnsigned',
  'mulHighSigned',
  'shl',
  'shr',
  'sar',
  'rol',
  'ror',
];
export const COMPARISONS: readonly Comparison[] = ['equal', 'lessUnsigned', 'lessSigned'];
export const UNARY_OPERATORS: readonly UnaryOperator[] = [
  'not',
  'neg',
  'byteSwap',
  'popCount',
  'leadingZeros',
  'trailingZeros',
];
export const FLAG_RULES: readonly FlagRule[] = ['add', 'sub', 'logic', 'inc', 'dec'];
export const STATUS_FLAG_NAMES: readonly FlagName[] = ['CF', 'PF', 'AF', 'ZF', 'SF', 'OF'];
export const CONDITION_CODES: readonly ConditionCode[] = [
  'O',
  'NO',
  'B',
  'AE',
  'E',
  'NE',
  'BE',
  'A',
  'S',
  'NS',
  'P',
  'NP',
  'L',
  'GE',
  'LE',
  'G',
];
export const WIDTHS: readonly ScalarWidth[] = [1, 8, 16, 32, 64];
const PLACE_WIDTHS = [8, 16, 32, 64] as const;
const FLAGS: readonly FlagName[] = [...STATUS_FLAG_NAMES, 'DF'];

/** Values near what matters: zero, signs, halves, small counts; and any other. */
export const interesting64: fc.Arbitrary<bigint> = fc.oneof(
  fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
  fc.bigInt({ min: -70n, max: 70n }).map((value) => BigInt.asUintN(64, value)),
  fc
    .tuple(fc.constantFrom(7n, 8n, 15n, 16n, 31n, 32n, 33n, 47n, 52n, 56n, 63n), fc.bigInt({ min: -2n, max: 2n }))
    .map(([bit, offset]) => BigInt.asUintN(64, (1n << bit) + offset)),
  fc.bigInt({ min: 0n, max: 0xffffn }).map((value) => BigInt.asUintN(64, value << 48n)),
);

/** A drawn number picks one of several: enough of them for any node or statement. */
const picks = fc.array(fc.nat({ max: 0xffff }), { minLength: 8, maxLength: 8 });
const draft = fc.record({ picks, value: interesting64 });
type Draft = typeof draft extends fc.Arbitrary<infer T> ? T : never;

/** Takes the picks of one draft one after another. */
class Picker {
  readonly #picks: readonly number[];
  readonly value: bigint;
  #next = 0;

  constructor({ picks: drawn, value }: Draft) {
    this.#picks = drawn;
    this.value = value;
  }

  number(below: number): number {
    return (this.#picks[this.#next++ % this.#picks.length] ?? 0) % below;
  }

  one<T>(choices: readonly T[]): T {
    return choices[this.number(choices.length)] as T;
  }
}

/** Effects of one to five statements over up to fourteen nodes, half of them with a condition that ends them early. */
export const arbitraryEffect: fc.Arbitrary<Effect> = fc
  .tuple(
    fc.array(draft, { minLength: 1, maxLength: 14 }),
    fc.array(draft, { minLength: 1, maxLength: 5 }),
    fc.option(draft, { nil: undefined, freq: 1 }),
  )
  .map(([nodes, statements, ending]) => new Drawing().effect(nodes, statements, ending));

class Drawing {
  readonly #nodes: Expression[] = [];

  effect(nodes: readonly Draft[], statements: readonly Draft[], ending: Draft | undefined): Effect {
    for (const each of nodes) this.#nodes.push(this.#node(new Picker(each)));
    const drawn = statements.map((each) => this.#statement(new Picker(each)));
    const end = ending === undefined ? [] : [build.endIf(this.#condition(new Picker(ending)))];
    const firstJump = drawn.findIndex(({ kind }) => kind === 'jump');
    return [...end, ...drawn.filter(({ kind }, index) => kind !== 'jump' || index === firstJump)]; // it jumps once
  }

  /** A condition, often one that compares with 0: the evaluator knows that shape. */
  #condition(picker: Picker): Expression {
    const shape = picker.number(3);
    if (shape === 0) return this.#operand(picker, 1);
    const isZero = build.isZero(this.#operand(picker, picker.one(WIDTHS)));
    return shape === 1 ? isZero : build.not(isZero);
  }

  /** A node of any width drawn before, or a leaf, made as wide as asked. */
  #operand(picker: Picker, width: ScalarWidth): Expression {
    const alike = this.#nodes.filter((node) => node.width === width);
    const choice = picker.number(8);
    if (choice < 4 && alike.length > 0) return alike[picker.number(alike.length)] as Expression;
    if (choice < 5) return build.constant(width, picker.value >> BigInt(picker.number(40)));
    if (choice < 6 && this.#nodes.length > 0)
      return resize(picker, this.#nodes[picker.number(this.#nodes.length)] as Expression, width);
    return width === 1 ? build.flag(picker.one(FLAGS)) : this.#register(picker, width);
  }

  #register(picker: Picker, width: RegisterPlace['width']): RegisterPlace {
    if (width === 8 && picker.number(3) === 0) return { kind: 'register', width, index: picker.number(4), high: true };
    return build.general(picker.number(5), width); // few, so that statements meet in one register
  }

  #place(picker: Picker, width: MemoryPlace['width']): MemoryPlace {
    const places = this.#nodes.filter((node): node is MemoryPlace => node.kind === 'memory' && node.width === width);
    if (places.length > 0 && picker.number(2) === 0) return picker.one(places);
    return build.memory(width, picker.one(SEGMENT_REGISTERS as readonly SegmentName[]), this.#offset(picker));
  }

  #offset(picker: Picker): Expression {
    const shape = picker.number(5);
    if (shape === 0) return this.#operand(picker, 64);
    const width = picker.one([64, 64, 32, 16] as const);
    const [base, index] = [this.#register(picker, width), this.#register(picker, width)];
    const scale = BigInt(picker.number(4));
    const byProduct = build.mul(index, build.constant(width, 1n << scale));
    const scaled = picker.number(2) === 0 ? byProduct : build.shl(index, build.constant(width, scale));
    const displacement = build.constant(width, picker.value);
    const sum = [
      base,
      build.add(base, displacement),
      build.add(build.add(base, scaled), displacement),
      build.sub(base, displacement),
    ];
    return build.zeroExtend(sum[shape - 1] as Expression, 64);
  }

  #node(picker: Picker): Expression {
    const width = picker.one(WIDTHS);
    const operand = (of: ScalarWidth = width): Expression => this.#operand(picker, of);
    switch (picker.number(9)) {
      case 0:
        return width === 1 ? build.condition(picker.one(CONDITION_CODES)) : this.#place(picker, width);
      case 1:
        return { kind: 'compare', width: 1, operator: picker.one(COMPARISONS), left: operand(), right: operand() };
      case 2:
        return { kind: 'unary', width, operator: picker.one(UNARY_OPERATORS), operand: operand() };
      case 3:
        return build.select(operand(1), operand(), operand());
      case 4:
        return resize(picker, operand(picker.one(WIDTHS)), width);
      case 5: {
        const of = width === 1 ? 8 : width;
        const isSigned = picker.number(2) === 0;
        const operands = [operand(of), operand(of), operand(of)] as const;
        if (picker.number(3) === 0) return build.divideFits(isSigned, ...operands);
        return build.divide(picker.one(['quotient', 'remainder'] as const), isSigned, ...operands);
      }
      case 6:
        return {
          kind: 'binary',
          width,
          operator: picker.one(['shl', 'shr', 'sar', 'rol', 'ror'] as const),
          left: operand(),
          right: build.constant(width, BigInt(picker.number(70))),
        };
      default:
        return { kind: 'binary', width, operator: picker.one(BINARY_OPERATORS), left: operand(), right: operand() };
    }
  }

  #statement(picker: Picker): Statement {
    const width = picker.one(PLACE_WIDTHS);
    const operand = (of: ScalarWidth = width): Expression => this.#operand(picker, of);
    switch (picker.number(8)) {
      case 0:
      case 1:
        return build.write(this.#register(picker, width), operand());
      case 2:
        return build.write(this.#place(picker, width), operand());
      case 3:
        return build.arithmeticFlags(picker.one(FLAG_RULES), operand(), operand(), operand());
      case 4: {
        const [left, right] = [operand(), operand()];
        const operator = picker.one(['add', 'sub', 'and', 'or', 'xor'] as const);
        return build.arithmeticFlags(picker.one(FLAG_RULES), left, right, {
          kind: 'binary',
          width,
          operator,
          left,
          right,
        });
      }
      case 5:
        return build.setFlags(
          { [picker.one(FLAGS)]: operand(1), [picker.one(FLAGS)]: operand(1) },
          ...(picker.number(2) === 0 ? [operand(1)] : []),
        );
      case 6:
        return build.jump(
          picker.number(2) === 0 ? build.constant(64, picker.value) : operand(64),
          ...(picker.number(2) === 0 ? [this.#condition(picker)] : []),
        );
      default:
        return build.faultIf(build.and(operand(1), operand(1)), DE, 'test.fault');
    }
  }
}

function resize(picker: Picker, operand: Expression, width: ScalarWidth): Expression {
  if (operand.width > width && picker.number(3) === 0) {
    const shifted = build.shr(operand, build.constant(operand.width, BigInt(picker.number(operand.width))));
    return build.truncate(shifted, width);
  }
  return picker.number(2) === 0 ? build.zeroExtend(operand, width) : build.signExtend(operand, width);
}
