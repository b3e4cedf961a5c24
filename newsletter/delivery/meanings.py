"""A server's reply becomes what it means in plain words: by its enhanced code (RFC 3463, IANA's registry), else by its code."""

import re

#: RFC 3463 §3 and RFC 5248's registry: subject and detail, whichever class they come with.
_DETAILS = {
    "1.1": "there is no such mailbox",
    "1.2": "there is no such domain, or it has no mail server",
    "1.3": "the address is not written as the mail server expects it",
    "1.4": "the address fits more than one mailbox",
    "1.6": "the mailbox has moved, nobody knows where",
    "1.7": "the sender's address is not accepted",
    "1.8": "the sender's domain is not accepted",
    "1.10": "the domain takes no mail at all",
    "2.1": "the mailbox is switched off",
    "2.2": "the mailbox is full",
    "2.3": "the message is too big for this mailbox",
    "2.4": "the mailing list behind the address does not work",
    "3.1": "the mail server's disk is full",
    "3.2": "the mail server takes no mail at the moment",
    "3.4": "the message is too big for the mail server",
    "3.5": "the mail server is not set up rightly",
    "4.1": "the recipient's mail server does not answer",
    "4.2": "the connection to the recipient's mail server broke",
    "4.3": "a name server did not answer",
    "4.4": "no way to the recipient's mail server is known",
    "4.5": "the mail server is overloaded",
    "4.6": "the mail went round in circles",
    "4.7": "it could not be delivered in the time that the mail server gives it",
    "5.3": "too many recipients at once",
    "7.1": "the receiving side refuses this mail by its own rules: the sender, the content or their reputation",
    "7.2": "the mailing list behind the address does not take mail from this sender",
    "7.8": "user name or password is wrong",
    "7.20": "the mail has no valid DKIM signature",
    "7.23": "the sender's domain does not allow this mail server (SPF)",
    "7.25": "the sending server's address has no name in the DNS",
    "7.26": "SPF and DKIM both failed",
    "7.27": "the sender's domain takes no mail, so none is taken from it",
    "7.28": "more mail came than the receiving side takes in such a time",
}
_SUBJECTS = {
    "1": "something is wrong with the address",
    "2": "something is wrong with the mailbox",
    "3": "something is wrong with the mail server",
    "4": "something is wrong on the way to the recipient's mail server",
    "5": "the two mail programs did not understand each other",
    "6": "the mail server cannot handle the content",
    "7": "the receiving side refuses this mail by its own rules",
}
#: RFC 5321 §4.2.3, where there is no enhanced code.
_CODES = {
    421: "the mail server closes the connection",
    450: "the mailbox cannot be reached at the moment",
    451: "the mail server had a fault of its own",
    452: "the mail server has no room at the moment",
    530: "the mail server wants a login first",
    535: "user name or password is wrong",
    550: "the mailbox cannot be reached, or the mail is refused",
    551: "the recipient is not at home on this mail server",
    552: "the mailbox is full, or the message is too big",
    553: "the address is not accepted",
    554: "the mail is refused",
    556: "the domain takes no mail at all",
}
_GREYLISTED = re.compile(r"gr[ea]y-?list", re.IGNORECASE)


def is_greylisted(reply: str | None) -> bool:
    """Whether a server only wants to see that the sender comes back (RFC 6647)."""
    return reply is not None and _GREYLISTED.search(reply) is not None


def meaning_of(code: int | None, enhanced: str | None, reply: str | None) -> str | None:
    """What a refusal means, as half a sentence; None where the reply took the mail, or there was none."""
    if code is None or code < 400:
        return None
    if code < 500 and is_greylisted(reply):
        return "the mail server does not know the sender yet and wants a second try (greylisting)"
    if code == 530:  # with 5.7.0, which says less
        return "the mail server wants an encrypted connection first" if "STARTTLS" in (reply or "").upper() else _CODES[code]
    _, _, number = (enhanced or "").partition(".")
    meaning = _DETAILS.get(number) or _SUBJECTS.get(number.partition(".")[0]) or _CODES.get(code)
    if meaning is None:
        meaning = "the mail server refuses it" if code >= 500 else "the mail server cannot take it"
    return meaning if code >= 500 else f"for now, {meaning}"
