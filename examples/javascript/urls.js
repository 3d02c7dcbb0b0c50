// Functions for URLs: the class URL of JavaScript follows the standard that
// browsers follow.  The functions are those of urls.wit.

import { open, query, tryExecute } from 'postgres:host/query@0.1.0';

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

export const pages = {
    find(url) {
        const rows = query('SELECT title, clicks FROM page WHERE url = $1',
            [{ tag: 'text', val: urls.canonical(url, []) }]);
        if (rows.length > 0) {
            const [title, clicks] = rows[0];
            return { title: title.val, clicks: clicks.val };
        }
    },

    add(addresses) {
        const refused = [];
        for (const address of addresses) {
            const url = urls.canonical(address, []);
            try {
                tryExecute('INSERT INTO page (url) VALUES ($1)', [{ tag: 'text', val: url }]);
            } catch (error) {
                const { sqlstate, message } = error.payload;
                refused.push({ url, sqlstate, message });
            }
        }
        return refused;
    },

    hosts() {
        const hosts = new Map();
        const cursor = open('SELECT url, clicks FROM page WHERE clicks > $1',
            [{ tag: 'int', val: 0n }]);
        for (let rows; (rows = cursor.fetch(1000)).length > 0;) {
            for (const [url, clicks] of rows) {
                const name = url.val.split('/')[2];
                hosts.set(name, (hosts.get(name) ?? 0n) + clicks.val);
            }
        }
        cursor[Symbol.dispose]();
        return Array.from(hosts, ([name, clicks]) => ({ name, clicks }));
    },
};
