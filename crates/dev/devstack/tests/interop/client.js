// What the client from npm does with the sandbox.
'use strict';

const assert = require('node:assert');
const [url, folder, step, received] = process.argv.slice(2);
const Razorpay = require(folder);
const { validatePaymentVerification, validateWebhookSignature } = require(`${folder}/dist/utils/razorpay-utils`);

const secret = 'sandbox_key_secret_0001';
const client = new Razorpay({ key_id: 'rzp_test_sandbox0000001', key_secret: secret });
client.api.rq.defaults.baseURL = url;

// Pays on the hosted page; the parameters with which the browser comes back.
async function pay(link) {
  const body = new URLSearchParams({ outcome: 'success' });
  const answer = await fetch(`${link.short_url}/pay`, { method: 'POST', body, redirect: 'manual' });
  return Object.fromEntries(new URL(answer.headers.get('location')).searchParams);
}

async function make() {
  const wanted = { amount: 49900, currency: 'INR', reference_id: 'node-1', description: 'Interop', callback_url: 'https://example.com/' };
  const link = await client.paymentLink.create(wanted);
  assert.equal((await client.paymentLink.fetch(link.id)).status, 'created');
  await assert.rejects(client.paymentLink.create(wanted), { statusCode: 400 });
  await assert.rejects(client.paymentLink.fetch('plink_00000000000000'), { statusCode: 400 });
  const back = await pay(link);
  const signed = {
    payment_link_id: back.razorpay_payment_link_id,
    payment_link_reference_id: back.razorpay_payment_link_reference_id,
    payment_link_status: back.razorpay_payment_link_status,
    payment_id: back.razorpay_payment_id,
  };
  assert(validatePaymentVerification(signed, back.razorpay_signature, secret));
  assert(!validatePaymentVerification({ ...signed, payment_link_status: 'created' }, back.razorpay_signature, secret));
  const paid = await client.paymentLink.fetch(link.id);
  assert.deepEqual([paid.status, paid.amount_paid], ['paid', 49900]);
  assert.equal((await client.payments.fetch(back.razorpay_payment_id)).status, 'captured');
  assert.equal((await client.orders.fetchPayments(paid.order_id)).count, 1);
  const refund = await client.payments.refund(back.razorpay_payment_id, { amount: 10000 });
  assert.equal((await client.refunds.fetch(refund.id)).amount, 10000);
  const other = await client.paymentLink.create({ ...wanted, reference_id: 'node-2' });
  assert.equal((await client.paymentLink.cancel(other.id)).status, 'cancelled');
  await assert.rejects(client.paymentLink.cancel(link.id), { statusCode: 400 });
}

async function verify() {
  const [webhook] = JSON.parse(received);
  assert(validateWebhookSignature(webhook.body, webhook.signature, 'sandbox_webhook_secret_0001'));
  assert(!validateWebhookSignature(`${webhook.body} `, webhook.signature, 'sandbox_webhook_secret_0001'));
}

({ make, verify })[step]().catch((error) => {
  console.error(error);
  process.exit(1);
});
