/** The cookies of a login: one carries the token, the other only has to come along. */
export const sessionCookies = (token: string): readonly string[] => [`B1SESSION=${token}`, 'ROUTEID=.node1']
