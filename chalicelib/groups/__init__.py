"""Customer groups (客户群): a mirror of them, who is in them, and who has to open the next one."""
