-- Uploads in parts (S3) are gone on with by whoever began them: a person, or one key, and no other key of the same role.
alter table storage.s3_multipart_uploads add column began_by text not null default '';
comment on column storage.s3_multipart_uploads.began_by is 'Whose it is: nobody else goes on with it.';
