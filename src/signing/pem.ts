/** A PEM that was put into base64 whole, to travel on one line, as it was before; anything else as it is. */
export function pemIn(text: string): string {
  if (/-----BEGIN /.test(text) || !/^[A-Za-z0-9+/=_\s-]+$/.test(text)) return text
  const plain = Buffer.from(text, 'base64').toString('utf8')
  return /^\s*-----BEGIN [A-Z0-9 ]+-----/.test(plain) ? plain : text
}
