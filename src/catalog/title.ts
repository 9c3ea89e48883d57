/**
 * Text from a template as one line that is safe in a terminal: escape sequences, control characters and bidirectional
 * overrides removed, white space collapsed.
 */
export function plainTitle(text: string): string {
  // Nearly every title is plain, and a list has thousands.
  if (/^[!-~][ -~]*$/.test(text) && !text.includes('  ') && !text.endsWith(' ')) return text
  return text
    .replace(/\u001b\][^\u0007\u001b]*(?:\u0007|\u001b\\)?/g, '')
    .replace(/(?:\u001b\[|\u009b)[0-?]*[ -/]*[@-~]/g, '')
    .replace(/\s+/g, ' ')
    .replace(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069\u2028\u2029\ufeff]/g, '')
    .trim()
}
