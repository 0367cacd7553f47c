'use strict';
// Fastify, Tencent's own crypto package, fast-xml-parser; a process for each core where that is faster.

const cluster = require('node:cluster');
const crypto = require('node:crypto');
const { decrypt, getSignature } = require('@wecom/crypto');
const { XMLParser } = require('fast-xml-parser');
const fastify = require('fastify');

const { RACE_PORT, RACE_TOKEN, RACE_AES_KEY, RACE_APP_ID, RACE_SQLITE, RACE_MARIADB, RACE_WORKERS } = process.env;
// SQLite has one writer at a time: a second process only waits for the first.
const workers = Number(RACE_WORKERS || (RACE_SQLITE ? 1 : 2));

const parser = new XMLParser({ parseTagValue: false });
const parse = (xml) => parser.parse(xml).xml;

function signed(query) {
  const parts = [RACE_TOKEN, query.timestamp, query.nonce].sort().join('');
  return crypto.createHash('sha1').update(parts).digest('hex') === query.signature;
}

function open(query, body) {
  if (!signed(query)) return null;
  const { Encrypt } = parse(body);
  if (getSignature(RACE_TOKEN, query.timestamp, query.nonce, Encrypt) !== query.msg_signature) return null;
  const { message, id } = decrypt(RACE_AES_KEY, Encrypt);
  return id === RACE_APP_ID ? message : null;
}

// What is stored of a push. The platform's documents say what tells one from another.
function event(raw) {
  const push = parse(raw);
  const isEvent = push.MsgType === 'event';
  return {
    key: isEvent ? `${push.FromUserName}:${push.CreateTime}:${push.Event}` : push.MsgId,
    openid: push.FromUserName,
    kind: isEvent ? `event.${push.Event.toLowerCase()}` : `message.${push.MsgType}`,
    scene: (push.EventKey || '').replace(/^qrscene_/, '') || null,
    time: Number(push.CreateTime),
    raw,
  };
}

async function serve() {
  const store = RACE_SQLITE ? require('./sqlite')(RACE_SQLITE) : require('./mariadb')(RACE_MARIADB);
  const app = fastify({ bodyLimit: 256 * 1024 });
  app.addContentTypeParser('text/xml', { parseAs: 'string' }, (request, body, done) => done(null, body));
  app.get('/wechat/event', async (request, reply) => {
    if (!signed(request.query)) return reply.code(403).send();
    return reply.type('text/plain').send(request.query.echostr);
  });
  app.post('/wechat/event', async (request, reply) => {
    let raw = null;
    try {
      raw = open(request.query, request.body);
    } catch {
      return reply.code(400).send();
    }
    if (raw === null) return reply.code(403).send();
    await store(event(raw));
    return reply.code(200).send();
  });
  await app.listen({ port: Number(RACE_PORT), host: '127.0.0.1' });
}

if (cluster.isPrimary && workers > 1) {
  for (let number = 0; number < workers; number += 1) cluster.fork();
  cluster.on('exit', () => process.exit(1));
} else {
  serve();
}
