-- 200,000 notifications of 100 bytes, in ten transactions.
DO $$ BEGIN
  FOR b IN 0..9 LOOP
    FOR i IN 1..20000 LOOP PERFORM pg_notify('ch', lpad((b * 20000 + i)::text, 100, 'x')); END LOOP;
    COMMIT;
  END LOOP;
END $$;
