/**
 * A certificate for 127.0.0.1 that nobody has signed, good until 2126, and its key. It protects nothing:
 * openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 36500 -subj /CN=localhost
 * -addext subjectAltName=IP:127.0.0.1,DNS:localhost
 */
export const CERT = `-----BEGIN CERTIFICATE-----
MIIBmzCCAUGgAwIBAgIUWmhcloWu7EHovZiGZgevXY3cp8wwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTIwMTIzNTcxMVoYDzIxMjYxMTA3
MjM1NzExWjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAARBdxqxQm7ghLn+QmUbayee3PfEbJz3heHk+wu6v8uw7SI+Yp1iPkF7
0Nbu6nbVkvFwdK17LNpPWpWEtigBgzGFo28wbTAdBgNVHQ4EFgQUhol5EWAW9C70
dW96wNafJfl0UFAwHwYDVR0jBBgwFoAUhol5EWAW9C70dW96wNafJfl0UFAwDwYD
VR0TAQH/BAUwAwEB/zAaBgNVHREEEzARhwR/AAABgglsb2NhbGhvc3QwCgYIKoZI
zj0EAwIDSAAwRQIgFMWoydTXN6gkkDPUKPXwIQqr2r4t3C6udbssD/XEgTgCIQC0
ZCjO9k/Fdeojbn2U3WFjF3FbIimMgUOgB1u9xg5jGQ==
-----END CERTIFICATE-----
`;
/** The key of the certificate. */
export const KEY = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgh6oORW/U3NkQYxdP
XA+aZ7+IA1IjYoTLGIJ+3atemJehRANCAARBdxqxQm7ghLn+QmUbayee3PfEbJz3
heHk+wu6v8uw7SI+Yp1iPkF70Nbu6nbVkvFwdK17LNpPWpWEtigBgzGF
-----END PRIVATE KEY-----
`;
