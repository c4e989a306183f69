// The version that stands in trace headers. Not imported from package.json: sources import sources. A test compares them.

export const RETROVISOR_VERSION = '0.1.0';
