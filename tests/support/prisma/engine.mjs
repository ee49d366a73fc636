// Prisma's query engine, of the very commit that its Python client asks for, behind the command
// line and the HTTP interface of the native one. The engine is the WebAssembly of its npm package;
// what is done here is to start it, to give it a database driver, and to translate: the Python
// client writes GraphQL, of which the WebAssembly knows only the successor.

import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import { PrismaPg } from '@prisma/adapter-pg'
import { bindAdapter } from '@prisma/driver-adapter-utils'
import * as engine from '@prisma/query-engine-wasm/postgresql/query_engine_bg.js'
import pg from 'pg'
import { options } from './database.mjs'

const ACTION =
  /^(createOne|deleteOne|updateOne|upsertOne|createMany|deleteMany|updateMany|aggregate|groupBy|findMany|findFirst|findUnique)(.+?)(OrThrow)?$/
// Commas are blanks in GraphQL.
const TOKEN =
  /[\s,]*(?:([{}()[\]:])|("(?:[^"\\]|\\.)*")|(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|([A-Za-z_]\w*))/y

function tokens(text) {
  const found = []
  TOKEN.lastIndex = 0
  while (TOKEN.lastIndex < text.trimEnd().length) {
    const at = TOKEN.lastIndex
    const match = TOKEN.exec(text)
    if (!match) throw new Error(`not GraphQL at ${at}: ${text.slice(at, at + 40)}`)
    found.push(match)
  }
  return found
}

// `mutation { result: createOneKey(data: {…}) {…} }` as an action, a model, arguments, a selection.
function translated(text, jsonFields) {
  const left = tokens(text).reverse()
  const is = (sign) => left.at(-1)?.[1] === sign
  const word = () => left.pop()[4]

  function sign(wanted) {
    const [all, found] = left.pop()
    if (found !== wanted) throw new Error(`not GraphQL: ${wanted} expected, not ${all}`)
  }

  function value() {
    if (is('{')) return pairs('{', '}')
    if (is('[')) {
      const list = []
      for (sign('['); !is(']'); ) list.push(value())
      sign(']')
      return list
    }
    const [, , string, number, name] = left.pop()
    if (string !== undefined) return JSON.parse(string)
    if (name !== undefined) return { true: true, false: false, null: null }[name]
    // An integer that JavaScript could not hold, the engine reads from text.
    const whole = Number.isInteger(Number(number)) && !Number.isSafeInteger(Number(number))
    return whole ? number : Number(number)
  }

  function pairs(opening, closing) {
    const found = {}
    for (sign(opening); !is(closing); ) {
      const key = word()
      sign(':')
      found[key] = value()
    }
    sign(closing)
    return found
  }

  function field() {
    return {
      arguments: is('(') ? pairs('(', ')') : {},
      selection: is('{') ? selection() : {},
    }
  }

  function selection() {
    const found = {}
    for (sign('{'); !is('}'); ) {
      const key = word()
      found[key] = is('(') || is('{') ? field() : true
    }
    sign('}')
    return found
  }

  word()
  sign('{')
  word()
  sign(':')
  const name = word()
  const query = field()
  const [, action, modelName, orThrow = ''] = ACTION.exec(name) ?? []
  if (action) tagJson(query.arguments, jsonFields.get(modelName))
  return action ? { action: action + orThrow, modelName, query } : { action: name, query }
}

// By model, the names of its fields of type Json.
function jsonFieldsOf(datamodel) {
  const models = [...datamodel.matchAll(/^model (\w+) \{([^]*?)^\}/gm)]
  return new Map(
    models.map(([, model, fields]) => [
      model,
      new Set([...fields.matchAll(/^\s+(\w+)\s+Json\b/gm)].map(([, name]) => name)),
    ]),
  )
}

// JSON comes as text, which the engine would store as a string of JSON.
function tagJson(value, names) {
  if (Array.isArray(value)) for (const each of value) tagJson(each, names)
  if (value === null || typeof value !== 'object') return
  for (const [key, each] of Object.entries(value)) {
    if (names.has(key) && typeof each === 'string') value[key] = { $type: 'Json', value: each }
    else tagJson(each, names)
  }
}

// Answers name the action and tag values with their types; GraphQL's have `result` and plain values.
function answered(answer, isRaw) {
  if (answer.errors) return answer
  const [result] = Object.values(answer.data)
  return { data: { result: isRaw ? raw(result) : plain(result) } }
}

function plain(value) {
  if (Array.isArray(value)) return value.map(plain)
  if (value === null || typeof value !== 'object') return value
  if ('$type' in value) return value.value
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, plain(each)]))
}

function raw(result) {
  for (const [column, type] of (result?.types ?? []).entries()) {
    if (type !== 'json') continue
    for (const row of result.rows) {
      if (typeof row[column] === 'string') row[column] = JSON.parse(row[column])
    }
  }
  return result
}

// A driver's error has no code of its own: the engine says P2036 and a number under which it is
// kept. What the native driver makes of it (quaint/src/connector/postgres/native/error.rs and
// libs/user-facing-errors/src/quaint.rs of prisma-engines):
const CANNOT_CONNECT = new Set(['ECONNREFUSED', 'ENOENT', 'ETIMEDOUT', 'EHOSTUNREACH'])
const IS_CLOSED = /^Connection terminated|ECONNRESET|EPIPE/

function native(value, kept, at) {
  if (Array.isArray(value)) return value.map((each) => native(each, kept, at))
  if (value === null || typeof value !== 'object') return value
  if (value.error_code === 'P2036') {
    const error = kept.consumeError(value.meta.id)?.error
    if (CANNOT_CONNECT.has(error?.code)) {
      const meta = { database_host: at.host, database_port: at.port }
      const message = `Can't reach database server at \`${at.host}\`:\`${at.port}\``
      return { ...value, error_code: 'P1001', message, meta }
    }
    if (IS_CLOSED.test(`${error?.message} ${error?.code}`)) {
      return { ...value, error_code: 'P1017', message: 'Server has closed the connection.', meta: {} }
    }
    return value
  }
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) => [key, native(each, kept, at)]),
  )
}

async function respond(running, jsonFields, { method, url, headers }, body) {
  const [, first, second, third] = url.split('?')[0].split('/')
  const transaction = headers['x-transaction-id']
  if (method === 'GET') return '{"status":"ok"}'
  if (first === 'transaction') {
    if (second === 'start') return running.startTransaction(body, '{}')
    if (third === 'commit') return running.commitTransaction(second, '{}')
    return running.rollbackTransaction(second, '{}')
  }
  const ask = async (question) =>
    JSON.parse(await running.query(JSON.stringify(question), '{}', transaction))
  const asked = JSON.parse(body)
  if (!asked.batch) {
    const question = translated(asked.query, jsonFields)
    return JSON.stringify(answered(await ask(question), !question.modelName))
  }
  const batch = asked.batch.map((each) => translated(each.query, jsonFields))
  const answer = await ask({ batch, transaction: asked.transaction ? {} : undefined })
  if (answer.errors) return JSON.stringify(answer)
  const results = answer.batchResult.map((each, n) => answered(each, !batch[n].modelName))
  return JSON.stringify({ batchResult: results })
}

function serve(running, jsonFields, port, natively) {
  createServer(async (request, response) => {
    let body = ''
    for await (const part of request.setEncoding('utf8')) body += part
    try {
      const answer = natively(await respond(running, jsonFields, request, body))
      response.writeHead(200, { 'content-type': 'application/json' }).end(answer)
    } catch (error) {
      console.error(error)
      response.writeHead(500).end(String(error))
    }
  }).listen(port, 'localhost')
}

const file = createRequire(import.meta.url).resolve(
  '@prisma/query-engine-wasm/postgresql/query_engine_bg.wasm',
)
const { instance } = await WebAssembly.instantiate(readFileSync(file), {
  './query_engine_bg.js': engine,
})
engine.__wbg_set_wasm(instance.exports)

if (process.argv.includes('--version')) {
  console.log(`query-engine ${engine.getBuildTimeInfo().commit}`)
} else {
  const [{ url }] = JSON.parse(process.env.OVERWRITE_DATASOURCES ?? '[{}]')
  const at = options(url ?? process.env.DATABASE_URL)
  const pool = new pg.Pool(at)
  pool.on('error', (error) => console.error(error.message))
  const datamodel = readFileSync(process.env.PRISMA_DML_PATH, 'utf8')
  const adapter = bindAdapter(new PrismaPg(pool))
  const running = new engine.QueryEngine(
    { datamodel, logLevel: 'error', logQueries: false },
    console.error,
    adapter,
  )
  await running.connect('{}')
  const natively = (answer) =>
    answer.includes('"P2036"')
      ? JSON.stringify(native(JSON.parse(answer), adapter.errorRegistry, at))
      : answer
  const port = Number(process.argv[process.argv.indexOf('-p') + 1])
  serve(running, jsonFieldsOf(datamodel), port, natively)
}
