// A citation of a section by its title: numbers move between revisions, titles rarely do.

/** One section of one manual. */
export interface Citation {
  readonly manual: 'SDM' | 'APM';
  /** The section's title as printed in the pinned revision. */
  readonly title: string;
}

/** The citation as people write it: `SDM, "VMXON—Enter VMX Operation"`. */
export function formatCitation(citation: Citation): string {
  return `${citation.manual}, "${citation.title}"`;
}
