// The benchmark runs: its machines do what they should and its tables print. No time is judged here.
import { describe, expect, it } from 'vitest';
import { benchmark } from './benchmark.js';
import { QUICK } from './measure.js';
import { asText, ratiosOf, worseThan } from './report.js';

describe('the benchmark', async () => {
  const sections = await benchmark(QUICK);

  it('measures every row', () => {
    const rows = sections.flatMap(({ rows: all }) => all);
    expect(rows.length).toBeGreaterThan(25);
    for (const { name, value } of rows) expect(value, name).not.toBeNaN();
    expect(asText(sections)).toContain('Immer');
  });

  it('flags what became worse, and nothing else', () => {
    const ratios = ratiosOf(sections);
    expect(worseThan(ratios, ratios)).toEqual([]);
    const [name = ''] = Object.keys(ratios);
    expect(worseThan({ [name]: (ratios[name] ?? 1) * 2 }, ratios)).toHaveLength(1);
    expect(worseThan({ gone: 1 }, ratios)).toEqual(['gone: not measured any more']);
  });
});
