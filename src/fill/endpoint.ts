/** Why a URL cannot be an endpoint; undefined when it can. */
export function flawOfUrl(url: string): string | undefined {
  if (/[\s\\]/.test(url) || /[\u0000-\u001f\u007f]/.test(url))
    return 'it contains blanks, backslashes or control characters'
  if (!/^https?:\/\/[^/?#]/i.test(url)) return 'it is not an http or https URL'
  if (!URL.canParse(url)) return 'it is not a valid URL'
  const { username, password } = new URL(url)
  if (username !== '' || password !== '' || /^[^/]*\/\/[^/?#]*@/.test(url)) return 'it holds a user name or password'
  return undefined
}
