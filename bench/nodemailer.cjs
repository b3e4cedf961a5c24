// nodemailer's pool as a peer of bench/smtp.py: node bench/nodemailer.cjs HOST PORT COUNT CONNECTIONS (nodemailer beside it, or in NODE_PATH)
const nodemailer = require("nodemailer");
const host = process.argv[2];
const [port, count, connections] = process.argv.slice(3).map(Number);
const pool = nodemailer.createTransport({
  pool: true, host, port, maxConnections: connections, maxMessages: Infinity, requireTLS: true, tls: { rejectUnauthorized: false },
});
const raw = Buffer.from("Subject: x\r\n\r\n" + ("x".repeat(70) + "\r\n").repeat(833));
const sendings = Array.from({ length: count }, () => pool.sendMail({ envelope: { from: "a@example.org", to: ["b@example.net"] }, raw }));
Promise.all(sendings).then(() => pool.close());
