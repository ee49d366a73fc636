// How Prisma's native engines read a database URL, and what Node's driver lacks to stand in for
// their own.

import pg from 'pg'

// A socket's folder stands in the parameter `host`, which wins over the host itself.
export function options(address) {
  const url = new URL(address)
  return {
    Client,
    host: url.searchParams.get('host') ?? url.hostname,
    port: Number(url.port || 5432),
    user: decodeURIComponent(url.username),
    password: decodeURIComponent(url.password) || undefined,
    database: decodeURIComponent(url.pathname.slice(1)),
    max: Number(url.searchParams.get('connection_limit') ?? 10),
  }
}

// Prisma's adapter refuses name, oid, void and name[], which the native engines read as text.
const AS_TEXT = { 19: 25, 26: 25, 2278: 25, 1003: 1009 }

function readable(result) {
  for (const field of result?.fields ?? []) {
    field.dataTypeID = AS_TEXT[field.dataTypeID] ?? field.dataTypeID
  }
  return result
}

// LiteLLM holds this lock itself while Prisma migrates, and asks the engine not to take it: the
// native one reads the variable, WebAssembly has none.
const LOCK = /pg_advisory_lock\(72707369\)/
const isLock = (query) =>
  process.env.PRISMA_SCHEMA_DISABLE_ADVISORY_LOCK && LOCK.test(query?.text ?? query)

class Client extends pg.Client {
  query(...given) {
    if (isLock(given[0])) {
      given[0] = typeof given[0] === 'string' ? 'SELECT 1' : { ...given[0], text: 'SELECT 1' }
    }
    const types = given[0]?.types
    if (types) {
      const parser = types.getTypeParser
      given[0].types = { getTypeParser: (oid, format) => parser(AS_TEXT[oid] ?? oid, format) }
    }
    const last = given.at(-1)
    if (typeof last === 'function') {
      given[given.length - 1] = (error, result) => last(error, readable(result))
    }
    const done = super.query(...given)
    return done instanceof Promise ? done.then(readable) : done
  }
}
