// What react-admin asks of its data provider for PostgREST.
// Usage: node admin.mjs NODE_MODULES URL TOKEN: prints {name: outcome} as JSON. test_javascript.py compares.
import { createRequire } from 'node:module'
const [modules, url, token] = process.argv.slice(2)
const provider = createRequire(`${modules}/`)('@raphiniert/ra-data-postgrest').default

async function httpClient(address, { method = 'GET', headers = new Headers(), body } = {}) {
  const sent = new Headers(headers)
  if (token) sent.set('Authorization', `Bearer ${token}`)
  const response = await fetch(address, { method, headers: sent, body })
  const text = await response.text()
  const json = text ? JSON.parse(text) : undefined
  if (!response.ok) throw new Error(`${response.status} ${json?.code}`)
  return { status: response.status, headers: response.headers, body: text, json }
}

const admin = provider({ apiUrl: url, httpClient, defaultListOp: 'eq', primaryKeys: new Map(), schema: () => 'api' })
const list = (filter = {}, sort = { field: 'id', order: 'ASC' }, pagination = { page: 1, perPage: 3 }) =>
  admin.getList('things', { filter, sort, pagination, meta: {} })

const calls = {
  'getList': () => list(),
  'getList, page 2': () => list({}, { field: 'id', order: 'DESC' }, { page: 2, perPage: 5 }),
  'getList, sorted': () => list({}, { field: 'amount', order: 'DESC' }),
  'getList, eq': () => list({ owner: 'ada', active: true }),
  'getList, ilike': () => list({ 'name@ilike': 'b' }),
  'getList, gte': () => list({ 'id@gte': 10 }),
  'getList, none': () => list({ id: 99 }),
  'getOne': () => admin.getOne('things', { id: 4, meta: {} }),
  'getOne, unknown': () => admin.getOne('things', { id: 99, meta: {} }),
  'getMany': () => admin.getMany('things', { ids: [1, 3, 99], meta: {} }),
  'getManyReference': () =>
    admin.getManyReference('things', {
      target: 'owner', id: 'ada', filter: {}, meta: {},
      pagination: { page: 1, perPage: 2 }, sort: { field: 'id', order: 'ASC' },
    }),
}

const told = {}
for (const [name, make] of Object.entries(calls)) {
  try {
    told[name] = await make()
  } catch (error) {
    told[name] = { refused: error.message }
  }
}
console.log(JSON.stringify(told))
