"""What the client from PyPI does with the sandbox."""

import json
import sys
import urllib.error
import urllib.parse
import urllib.request

import razorpay

URL, STEP, RECEIVED = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
KEY, SECRET, WEBHOOK_SECRET = "rzp_test_sandbox0000001", "sandbox_key_secret_0001", "sandbox_webhook_secret_0001"
client = razorpay.Client(auth=(KEY, SECRET), base_url=URL)


class Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


def pay(link):
    """Pays on the hosted page; the parameters with which the browser comes back."""
    page = urllib.request.Request(link["short_url"] + "/pay", data=b"outcome=success")
    try:
        urllib.request.build_opener(Stay).open(page)
    except urllib.error.HTTPError as redirect:
        query = urllib.parse.urlsplit(redirect.headers["location"]).query
        return {name.removeprefix("razorpay_"): value for name, value in urllib.parse.parse_qsl(query, keep_blank_values=True)}


def refused(call, *arguments):
    try:
        call(*arguments)
    except razorpay.errors.BadRequestError as error:
        return str(error)
    raise SystemExit("it was not refused")


def make():
    new = {"amount": 49900, "currency": "INR", "reference_id": "python-1", "description": "Interop", "callback_url": "https://example.com/"}
    link = client.payment_link.create(new)
    assert client.payment_link.fetch(link["id"])["status"] == "created"
    assert "reference" in refused(client.payment_link.create, new)
    assert "does not exist" in refused(client.payment_link.fetch, "plink_00000000000000")
    assert client.payment_link.edit(link["id"], {"notes": {"a": "b"}})["notes"] == {"a": "b"}
    back = pay(link)
    signed = {name: back[name] for name in ("payment_link_id", "payment_link_reference_id", "payment_link_status")}
    signed |= {"razorpay_payment_id": back["payment_id"], "razorpay_signature": back["signature"]}
    assert client.utility.verify_payment_link_signature(signed)
    try:
        client.utility.verify_payment_link_signature(signed | {"payment_link_status": "created"})
        raise SystemExit("a forged callback verifies")
    except razorpay.errors.SignatureVerificationError:
        pass
    paid = client.payment_link.fetch(link["id"])
    assert (paid["status"], paid["amount_paid"]) == ("paid", 49900)
    assert client.payment.fetch(back["payment_id"])["status"] == "captured"
    assert client.order.payments(paid["order_id"])["count"] == 1
    refund = client.payment.refund(back["payment_id"], {"amount": 10000})
    assert client.refund.fetch(refund["id"])["amount"] == 10000
    other = client.payment_link.create({**new, "reference_id": "python-2"})
    assert client.payment_link.cancel(other["id"])["status"] == "cancelled"
    assert "already paid" in refused(client.payment_link.cancel, link["id"])
    assert any(known["id"] == link["id"] for known in client.payment_link.all({"reference_id": "python-1"})["payment_links"])


def verify():
    [webhook] = RECEIVED
    client.utility.verify_webhook_signature(webhook["body"], webhook["signature"], WEBHOOK_SECRET)
    try:
        client.utility.verify_webhook_signature(webhook["body"] + " ", webhook["signature"], WEBHOOK_SECRET)
        raise SystemExit("a changed webhook verifies")
    except razorpay.errors.SignatureVerificationError:
        pass


{"make": make, "verify": verify}[STEP]()
