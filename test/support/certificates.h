/* test/support/certificates.h
 *
 * PEM files for tests of TLS, in a folder of their own: an authority, a server's certificate for "redis.example" and 10.0.0.1, one for
 * 127.0.0.1, a client's; each with its key. And an authority that signed none of them.
 *
 * Threads: main thread. */
#ifndef TEST_SUPPORT_CERTIFICATES_H
#define TEST_SUPPORT_CERTIFICATES_H

struct certificates {
	char folder[32];
	char authority[64], other_authority[64];
	char name[64], name_key[64];       /* of redis.example */
	char address[64], address_key[64]; /* of 127.0.0.1 */
	char client[64], client_key[64];
	char locked_key[64]; /* the client's, with a pass phrase */
};

void certificates_make(struct certificates *c);
void certificates_remove(struct certificates *c);

#endif
