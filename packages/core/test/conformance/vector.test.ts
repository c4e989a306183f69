// Reading lines of vectors: what is none is refused with file, line and member.
import { describe, expect, it } from 'vitest';
import { parseVector, VectorFormatError } from '../../src/index.js';

const PLACE = { file: 'x.jsonl.gz', line: 7 };
const VECTOR = { id: 'nop', code: '90', in: { flags: '202' }, out: { flags: '202', rip: '20000801' } };

function refusal(text: string): VectorFormatError {
  try {
    parseVector(text, PLACE);
  } catch (thrown) {
    if (thrown instanceof VectorFormatError) return thrown;
  }
  throw new Error(`${text} was accepted`);
}

describe('a line of vectors', () => {
  it('is an object with code, state before and state after', () => {
    expect(parseVector(JSON.stringify(VECTOR), PLACE)).toEqual(VECTOR);
  });

  it.each([
    ['the line', []],
    ['code', { ...VECTOR, code: '9' }],
    ['code', { ...VECTOR, code: undefined }],
    ['in', { ...VECTOR, in: [] }],
    ['in.flags', { ...VECTOR, in: {} }],
    ['in.regs', { ...VECTOR, in: { flags: '2', regs: { eax: '1' } } }],
    ['in.mem', { ...VECTOR, in: { flags: '2', mem: [['10', 'abc']] } }],
    ['in.xmm', { ...VECTOR, in: { flags: '2', xmm: { 16: '00'.repeat(16) } } }],
    ['out.rip', { ...VECTOR, out: { flags: '2' } }],
    ['exc', { ...VECTOR, exc: [14] }],
    ['undefRegs', { ...VECTOR, undefRegs: ['cr0'] }],
    ['retired', { ...VECTOR, retired: -1 }],
  ])('with a wrong %s is refused', (member, line) => {
    const { code, details, message } = refusal(JSON.stringify(line));
    expect({ code, details }).toMatchObject({ code: 'VECTOR_MEMBER', details: { ...PLACE, member } });
    expect(message).toContain('x.jsonl.gz, line 7: ');
  });

  it('that is no JSON is refused', () => {
    expect(refusal('{')).toMatchObject({ code: 'VECTOR_NOT_JSON', details: PLACE });
  });
});
