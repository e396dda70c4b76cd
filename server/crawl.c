#include "server/crawl.h"

#include <stdio.h>

#include "server/command.h"

int crawl_main(const struct config_source *source)
{
	(void)source;
	fputs("baton-awsd: crawl is not built yet\n", stderr);
	return EXIT_CODE_FAILED;
}
