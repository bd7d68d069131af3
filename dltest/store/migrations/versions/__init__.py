"""One file a migration; history that has been released is never edited."""
