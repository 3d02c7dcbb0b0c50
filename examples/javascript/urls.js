// Functions for URLs: the class URL of JavaScript follows the standard that
// browsers follow.  The functions are those of urls.wit.

// What is thrown is the error of a result.
function absolute(text) {
    try {
        return new URL(text);
    } catch {
        throw `not an absolute URL: "${text}"`;
    }
}

export const urls = {
    parse(text) {
        const url = absolute(text);
        return {
            scheme: url.protocol.slice(0, -1),
            host: url.hostname,
            port: url.port === '' ? undefined : Number(url.port),
            path: url.pathname,
            parameters: Array.from(url.searchParams, ([name, value]) => ({ name, value })),
            fragment: url.hash === '' ? undefined : decodeURIComponent(url.hash.slice(1)),
        };
    },

    canonical(text, without) {
        const url = absolute(text);
        for (const name of without) {
            url.searchParams.delete(name);
        }
        url.searchParams.sort();
        return url.href;
    },
};
