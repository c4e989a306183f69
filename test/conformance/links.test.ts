// Every link from a Markdown file of this repository to a file of this repository leads somewhere, headings included.
// Addresses on the network are not visited: a test must not depend on them.
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { filesBelow, ROOT } from '../support/source-tree.js';

const documents = filesBelow('.').filter((path) => path.endsWith('.md'));

describe('links', () => {
  it.each(documents)('of %s lead to a file and a heading that exist', (document) => {
    expect(linksIn(document).filter((link) => !leadsSomewhere(document, link))).toEqual([]);
  });

  it('are looked at in some document', () => {
    expect(documents.length).toBeGreaterThan(0);
  });
});

function leadsSomewhere(document: string, link: string): boolean {
  const [path = '', heading] = decodeURIComponent(link).split('#');
  const target = path === '' ? document : path.startsWith('/') ? path.slice(1) : join(dirname(document), path);
  if (!existsSync(join(ROOT, target))) return false;
  return heading === undefined || !target.endsWith('.md') || headingsIn(target).includes(heading);
}

/** The targets of inline links, images and link definitions, without those that name a scheme such as `https:`. */
function linksIn(document: string): readonly string[] {
  const text = proseOf(document);
  const inline = [...text.matchAll(/\]\(\s*<?([^)\s>]+)>?(?:\s+"[^"]*")?\s*\)/g)];
  const defined = [...text.matchAll(/^ {0,3}\[[^\]]+\]:\s*<?(\S+?)>?(?:\s|$)/gm)];
  return [...inline, ...defined].flatMap(([, target = '']) => (/^[a-z][a-z0-9+.-]*:/i.test(target) ? [] : [target]));
}

/** Headings as the anchors that code hosting sites make of them. A repeated heading is numbered: `notes`, `notes-1`. */
function headingsIn(document: string): readonly string[] {
  const seen = new Map<string, number>();
  return [...proseOf(document).matchAll(/^#{1,6}\s+(.+?)\s*#*$/gm)].map(([, heading = '']) => {
    const plain = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').replace(/[`*]/g, '');
    const slug = plain
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-');
    const times = seen.get(slug) ?? 0;
    seen.set(slug, times + 1);
    return times === 0 ? slug : `${slug}-${times}`;
  });
}

/** Code is no prose: what looks like a link or a heading inside it is none. Headings keep their code spans. */
function proseOf(document: string): string {
  const withoutBlocks = readFileSync(join(ROOT, document), 'utf8').replace(/^( *)(```|~~~)[\s\S]*?^\1\2.*$/gm, '');
  return withoutBlocks.replace(/`[^`\n]*\]\([^`\n]*`/g, '');
}
